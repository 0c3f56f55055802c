"""A container that outlived its orchestrator is followed to its end, and not started again."""

from __future__ import annotations

import os
import signal

import pytest

from manifests.codec import read_manifest
from tests.docker.conftest import DockerWorkshop, wait_for

pytestmark = pytest.mark.docker
FIRST = ("-k", "alpha and train")


def left(workshop: DockerWorkshop, seconds: float) -> str:
    """The name of the container that goes on after its orchestrator was killed."""
    workshop.environment["DETACHES"] = "1"
    workshop.write(seconds=seconds)
    workshop.run("-k", "beta and train", status=0)  # its image is made, and the other's layers
    process = workshop.start(*FIRST)
    events = "toy-*/cells/*/events.jsonl"
    wait_for(lambda: len(list(workshop.runs.glob(events))) == 2, "no cell works")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    (name,) = workshop.left()
    return name


def test_it_is_followed_and_its_one_manifest_is_taken(docker_workshop: DockerWorkshop) -> None:
    name = left(docker_workshop, seconds=12)
    container = docker_workshop.daemon.client.containers.get(name)
    told = docker_workshop.run(*FIRST).stderr
    assert "still runs" in told
    assert docker_workshop.left() == []
    assert not list(docker_workshop.runs.glob("toy-*/cells/*.attempt-*"))
    found = [
        read_manifest(path) for path in docker_workshop.runs.glob("toy-*/cells/*/manifest.json")
    ]
    assert {manifest.status for manifest in found} == {"ok"} and len(found) == 2
    alpha = next(manifest for manifest in found if manifest.cell.framework == "alpha")
    assert alpha.wall_s >= 12
    assert container.attrs["Name"] == f"/{name}"
    for path in docker_workshop.runs.glob("toy-*/cells/*/*"):
        assert path.stat().st_uid == os.getuid()


def test_another_run_leaves_it_alone_while_it_runs(docker_workshop: DockerWorkshop) -> None:
    name = left(docker_workshop, seconds=12)
    elsewhere = str(docker_workshop.runs / "elsewhere")
    docker_workshop.environment.pop("DETACHES")
    docker_workshop.run("-k", "beta and train", "--run", elsewhere)
    assert docker_workshop.left() == [name] or not docker_workshop.left()
    told = docker_workshop.run(*FIRST).stderr
    assert "executed" in told and docker_workshop.left() == []
