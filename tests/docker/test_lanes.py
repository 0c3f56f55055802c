"""Containers side by side, one a GPU, by one connection to the daemon."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest
from docker.errors import NotFound

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from tests.docker.conftest import DockerWorkshop, wait_for

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two processors"),
]


def start(workshop: DockerWorkshop, *arguments: str) -> subprocess.Popen[str]:
    options = ["--engine", "docker", "--gpus", "all", "--cpus", "0,1", *arguments]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.docker.gpus_cli", "run", "toy", *options],
        cwd=workshop.folder, env=workshop.environment, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def processors(workshop: DockerWorkshop) -> list[str]:
    """The processors of each container that is there now."""
    found: list[str] = []
    for name in workshop.left():
        try:
            state: Any = workshop.daemon.client.api.inspect_container(name)
        except NotFound:  # it has just gone
            continue
        found.append(state["HostConfig"]["CpusetCpus"])
    return found


def manifests(workshop: DockerWorkshop) -> list[Manifest]:
    return [read_manifest(path) for path in workshop.manifests()]


def test_containers_run_side_by_side_with_processors_of_their_own(
    docker_workshop: DockerWorkshop,
) -> None:
    docker_workshop.write(device="gpu", seconds=0.3, repeats=3)
    process = start(docker_workshop)
    together: set[tuple[str, ...]] = set()
    while process.poll() is None:
        together.add(tuple(sorted(processors(docker_workshop))))
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert ("0", "1") in together
    assert together <= {(), ("0",), ("1",), ("0", "1"), ("0,1",)}
    found = manifests(docker_workshop)
    assert [m.status for m in found] == ["ok"] * 14
    lanes = set()
    for manifest in found:
        assert manifest.context is not None and manifest.context.container is not None
        settings = manifest.context.container
        lanes.add((manifest.cell.device, tuple(settings.gpus), tuple(settings.cpus)))
    assert lanes == {("gpu", ("0",), (0,)), ("gpu", ("1",), (1,)), ("cpu", (), (0, 1))}


def test_ctrl_c_ends_the_containers_of_all_lanes(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(device="gpu", train_device="gpu", seconds=60.0)
    process = start(docker_workshop)
    wait_for(lambda: docker_workshop.events().count('"work"') == 2, "two cells side by side", 120)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert [(m.status, m.reason) for m in manifests(docker_workshop)] == [
        ("cancelled", "interrupted")
    ] * 2
