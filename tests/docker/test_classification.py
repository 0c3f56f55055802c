"""How a cell ended, in the manifest: every kind of end, several cells of each."""

from __future__ import annotations

import collections
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest, Status
from orchestrator.engines.docker.builds import tag
from orchestrator.engines.docker.daemon import Daemon
from orchestrator.engines.docker.reaping import CELL
from orchestrator.environments.images import load_image
from tests.docker.conftest import TIMES, DockerWorkshop, a_workshop, wait_for
from tests.docker.faults import AT_ONCE, BY_HAND, BY_THE_CLOCK, write_faults

pytestmark = pytest.mark.docker


class Ends(NamedTuple):
    """What a manifest has to say."""

    status: Status
    reason: str
    error: str = ""
    transient: bool = False


KILLED = Ends("crashed", "ended by SIGKILL from outside the runner", transient=True)
EXPECTED = {
    "ok": Ends("ok", ""),
    "crash": Ends("crashed", "ValueError: it broke", error="ValueError: it broke"),
    "unsupported": Ends("unsupported", "not on this machine"),
    "memory": Ends("oom", "the kernel ended it: its control group ran out of its memory"),
    "child-memory": Ends("oom", "the kernel killed a process at the memory limit"),
    "lost-child": Ends("ok", ""),
    "ends-with-child": Ends("oom", "the kernel ended it: its control group ran out of its memory"),
    "killed": KILLED,
    "segfault": Ends("crashed", "ended by SIGSEGV"),
    "status-161": Ends("crashed", "ended with status 161 and left no manifest"),
    "traps": Ends("crashed", "ended with status 3 and left no manifest"),
    "sleeps": Ends("timeout", "not finished within its 5 s"),
    "deaf": Ends("timeout", "not finished within its 5 s; it had to be killed"),
    "waits": KILLED,
    "lost-child-waits": KILLED,
}


@pytest.fixture(scope="module")
def faulty(
    tmp_path_factory: pytest.TempPathFactory, daemon: Daemon, wheels: Path
) -> Iterator[DockerWorkshop]:
    with a_workshop(tmp_path_factory.mktemp("faulty"), daemon, wheels) as made:
        write_faults(made.folder, TIMES, timeout_s=5)
        made.environment["GRACE_S"] = "2"
        yield made


def start(workshop: DockerWorkshop, expression: str, run: str) -> subprocess.Popen[str]:
    return workshop.start("-k", expression, "--memory", "192m", "--run", str(workshop.runs / run))


@pytest.fixture(scope="module")
def ended(faulty: DockerWorkshop) -> dict[str, list[Manifest]]:
    """The manifests by what their cells did; three runs side by side on one engine."""
    faulty("images", "build", "alpha", "--engine", "docker")
    at_once = start(faulty, "infer and framework=alpha", "at-once")
    by_the_clock = start(faulty, "train", "by-the-clock")
    by_hand = start(faulty, "quantize", "by-hand")
    killing = threading.Thread(target=kill_by_hand, args=(faulty, by_hand))
    killing.start()
    for process in (at_once, by_the_clock, by_hand):
        _, errors = process.communicate(timeout=60 + 60 * TIMES)
        assert process.returncode == 1, errors
        assert "Traceback" not in errors
    killing.join()
    found = collections.defaultdict(list)
    for path in faulty.manifests():
        manifest = read_manifest(path)
        found[str(manifest.cell.recipe["behave"])].append(manifest)
    return found


def kill_by_hand(workshop: DockerWorkshop, run: subprocess.Popen[str]) -> None:
    """``docker kill`` every container that waits for it."""
    killed: set[str] = set()
    while run.poll() is None:
        for events in (workshop.runs / "by-hand").glob("cells/*/events.jsonl"):
            cell = events.parent.name
            if cell not in killed and b"waiting" in events.read_bytes():
                label = {"label": f"{CELL}={cell}"}
                for container in workshop.daemon.client.api.containers(filters=label):
                    workshop.daemon.client.api.kill(container["Id"])
                    killed.add(cell)
        time.sleep(0.05)


@pytest.mark.parametrize("behave", [*AT_ONCE, *BY_THE_CLOCK, *BY_HAND])
def test_every_end_is_told_as_what_it_was(ended: dict[str, list[Manifest]], behave: str) -> None:
    expected = EXPECTED[behave]
    assert len(ended[behave]) == TIMES
    for manifest in ended[behave]:
        assert (manifest.status, manifest.transient) == (expected.status, expected.transient)
        assert manifest.reason.startswith(expected.reason)
        assert expected.error in manifest.error
        assert manifest.context is not None and manifest.context.attempt == 1


def test_nothing_of_the_host_is_read_through_links(
    faulty: DockerWorkshop, ended: dict[str, list[Manifest]]
) -> None:
    """The cell ``traps`` left links in place of its log; they are gone, and were not followed."""
    for manifest in ended["traps"]:
        assert "root:" not in manifest.error
        (folder,) = faulty.runs.glob(f"*/cells/{manifest.id}")
        assert {path.name for path in folder.iterdir()} == {
            "cell.json", "context.json", "events.jsonl", "handle.json", "manifest.json",
            "order.json", "stderr.txt", "telemetry.jsonl",
        }  # fmt: skip
        assert not any(path.is_symlink() for path in folder.iterdir())


def test_an_image_that_can_t_run_makes_its_cells_unsupported(faulty: DockerWorkshop) -> None:
    """One that was there when the run began and is gone, one without python, one without start."""
    run = faulty.runs / "bad-images"
    done = faulty.run("-k", "headless or pythonless", "--run", str(run), status=1)
    found = [read_manifest(path) for path in run.glob("cells/*/manifest.json")]
    assert len(found) == 2 * TIMES
    for manifest in found:
        assert (manifest.status, manifest.transient) == ("unsupported", True)
        assert manifest.reason.startswith("its container can't be started: ")
        assert len(manifest.reason.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_an_image_that_is_removed_during_the_run(
    faulty: DockerWorkshop,
) -> None:
    """The first cell runs while the other's image goes; the others are unsupported, no more."""
    run = faulty.runs / "gone"
    process = faulty.start("-k", "doomed or (train and batch_size=1)", "--run", str(run))

    def events() -> str:
        return "".join(path.read_text() for path in run.glob("cells/*/events.jsonl"))

    wait_for(lambda: "work" in events(), "no cell works")
    doomed = load_image("doomed", faulty.folder / "images")
    faulty.daemon.client.images.remove(tag(doomed), force=True)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    found = [read_manifest(path) for path in run.glob("cells/*/manifest.json")]
    assert [m.status for m in found if m.cell.framework == "doomed"] == ["unsupported"] * TIMES
    assert "its container can't be started: No such image" in errors
