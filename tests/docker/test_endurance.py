"""Many containers in a row, and cells that print without end: nothing is left, nothing grows."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from manifests.codec import read_manifest
from tests.docker.conftest import DockerWorkshop

pytestmark = pytest.mark.docker
CONTAINERS = 40
FLOOD_S = float(os.environ.get("REPLIQUANT_TEST_FLOOD_S", "5"))
MB = 2**20


class Watched:
    """Descriptors and memory of a process, sampled while it runs; the peak after the start."""

    def __init__(self, process: subprocess.Popen[str], begun: int) -> None:
        """``begun`` manifests have to be there before the first sample counts."""
        self._process = psutil.Process(process.pid)
        self._begun = begun
        self.descriptors: list[int] = []
        self.memory: list[int] = []

    def sample(self, manifests: int) -> None:
        try:
            if manifests >= self._begun:
                self.descriptors.append(self._process.num_fds())
                self.memory.append(self._process.memory_info().rss)
        except psutil.Error:
            pass  # it has just ended

    @property
    def grown_mb(self) -> float:
        return (max(self.memory) - self.memory[0]) / MB if self.memory else 0.0


def watch(workshop: DockerWorkshop, process: subprocess.Popen[str], begun: int) -> Watched:
    """Until the process ends."""
    watched = Watched(process, begun)
    while process.poll() is None:
        watched.sample(len(workshop.manifests()))
        time.sleep(0.2)
    return watched


@pytest.mark.thorough
def test_forty_containers_leave_nothing_behind(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(repeats=CONTAINERS // 2)
    process = docker_workshop.start("-k", "alpha")
    watched = watch(docker_workshop, process, begun=3)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert len(docker_workshop.manifests()) == CONTAINERS + 1
    assert docker_workshop.left() == []
    # Looked at while cells come and go; a leak would be one or more for each of them.
    assert late(watched.descriptors) <= early(watched.descriptors) + 5
    assert watched.grown_mb < 20


@pytest.mark.measures
def test_a_flood_is_not_slowed_and_all_of_it_is_kept(docker_workshop: DockerWorkshop) -> None:
    """100,000 lines a second: beside the same container with nobody at its other end."""
    docker_workshop.write(behave="flood", more=f"flood_s = {FLOOD_S}")
    process = docker_workshop.start("-k", "alpha and infer and batch_size=1")
    watched = watch(docker_workshop, process, begun=1)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "\x1b" not in errors
    (folder,) = [p.parent for p in docker_workshop.manifests() if is_infer(p)]
    read = took(folder / "log.txt")
    with open(folder / "log.txt", "rb") as log:
        lines = sum(1 for _ in log)
    assert lines >= int(100_000 * FLOOD_S)
    assert watched.grown_mb < 50
    unread = took(run_unread(docker_workshop, folder) / "log.txt")
    print(f"{read:.3f} s with a reader, {unread:.3f} s without: {read / unread:.4f}")
    assert read <= unread * 1.25  # 1.02 on a quiet machine: REPLIQUANT_TEST_FLOOD_S=30 pytest -s


def test_a_flood_of_events_is_bounded(docker_workshop: DockerWorkshop) -> None:
    """200 MB of lines that are no events, with escape sequences, straight on the channel."""
    docker_workshop.write(behave="event-flood")
    process = docker_workshop.start("-k", "alpha and infer and batch_size=1")
    watched = watch(docker_workshop, process, begun=1)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "\x1b" not in errors
    assert "2000000 lines that are not events were dropped" in errors
    assert watched.grown_mb < 50


NOISY = """\
import os, sys
block = (b"\\x1b[2J" + b"e" * 94 + b"\\n") * 1000
for _ in range(500): os.write(2, block)
os.execvp("python", ["python", "-m", "runners.container_init", *sys.argv[1:]])
"""


def test_a_flood_of_errors_before_there_is_a_log(docker_workshop: DockerWorkshop) -> None:
    """50 MB on standard error ahead of the runner: a part of it is kept, none is shown."""
    dockerfile = docker_workshop.folder / "images" / "alpha" / "Dockerfile"
    entry = json.dumps(["python", "-c", NOISY])
    usual = json.dumps(["python", "-m", "runners.container_init"])
    dockerfile.write_text(dockerfile.read_text().replace(usual, entry))
    process = docker_workshop.start("-k", "alpha and train")
    watched = watch(docker_workshop, process, begun=0)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "\x1b" not in errors
    (manifest,) = docker_workshop.manifests()
    assert read_manifest(manifest).status == "ok"
    assert 15 * MB < (manifest.parent / "stderr.txt").stat().st_size < 17 * MB
    assert max(watched.memory) < 150 * MB  # all of it, with what the command line itself takes


def early(samples: list[int]) -> float:
    """The middle of the first quarter: a single sample may fall into a start or an end."""
    return statistics.median(samples[: len(samples) // 4])


def late(samples: list[int]) -> float:
    return statistics.median(samples[-len(samples) // 4 :])


def is_infer(path: Path) -> bool:
    return read_manifest(path).cell.task == "infer"


def took(log: Path) -> float:
    """Seconds that the printing took, by its own clock."""
    with open(log, "rb") as file:
        file.seek(-200, os.SEEK_END)
        found = re.search(rb"took ([\d.]+)", file.read())
    assert found is not None
    return float(found[1])


def run_unread(workshop: DockerWorkshop, folder: Path) -> Path:
    """The same command in the same image, detached, its log in a folder of its own."""
    context = read_manifest(folder / "manifest.json").context
    assert context is not None and context.container is not None and context.image.id is not None
    unread = workshop.folder / "unread"
    unread.mkdir()
    for name in ("order.json", "cell.json", "context.json"):
        (unread / name).write_bytes((folder / name).read_bytes())
    unread.chmod(0o777)
    parent = folder.parent / str(read_manifest(folder / "manifest.json").cell.weights_from)
    container = workshop.daemon.client.containers.create(
        context.image.id, context.container.command, user=context.container.user,
        volumes=[f"{unread}:/cell", f"{parent}:/weights:ro", f"{data(workshop)}:/data:ro"],
        network_mode="none", log_config=None,
    )  # fmt: skip
    try:
        container.start()
        container.wait()
    finally:
        container.remove(force=True)
    return unread


def data(workshop: DockerWorkshop) -> Path:
    (found,) = (workshop.folder / "cache" / "data").iterdir()
    return found
