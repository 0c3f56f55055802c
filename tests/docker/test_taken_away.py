"""Somebody removes, stops or pauses the container of a cell: it ends as documented."""

from __future__ import annotations

import signal
import subprocess
from typing import Any

import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from orchestrator.engines.docker.reaping import CELL
from tests.docker.conftest import DockerWorkshop, wait_for

pytestmark = pytest.mark.docker
TRAINING = ("-k", "alpha and train")


def working(workshop: DockerWorkshop, times: int = 1) -> str:
    """The id of the container in which the cell works, for the ``times``-th time."""
    wait_for(lambda: workshop.events().count('"work"') == times, "no cell works")
    (cell,) = (path.name for path in workshop.runs.glob("*/cells/*") if "." not in path.name)
    running = workshop.daemon.client.api.containers(filters={"label": f"{CELL}={cell}"})
    return str(running[0]["Id"])  # the newest; one that was removed may be there for a moment


def ended(process: subprocess.Popen[str], status: int) -> str:
    _, errors = process.communicate(timeout=120)
    assert process.returncode == status, errors
    assert "Traceback" not in errors
    return " ".join(errors.split())


def the_manifest(workshop: DockerWorkshop) -> Manifest:
    (path,) = (path for path in workshop.manifests() if "attempt" not in path.parent.name)
    return read_manifest(path)


def aside(workshop: DockerWorkshop) -> int:
    return len(list(workshop.runs.glob("*/cells/*.attempt-*")))


def test_a_cell_whose_container_is_removed_is_run_again(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=3.0)
    process = docker_workshop.start(*TRAINING)
    api: Any = docker_workshop.daemon.client.api
    api.remove_container(working(docker_workshop), force=True)
    told = ended(process, 0)
    assert "is run again: somebody removed its container" in told
    found = the_manifest(docker_workshop)
    assert found.status == "ok" and found.context is not None
    assert (found.context.attempt, found.context.why_again) == (2, "somebody removed its container")
    assert aside(docker_workshop) == 1


def test_a_cell_whose_container_is_removed_again_and_again_ends(
    docker_workshop: DockerWorkshop,
) -> None:
    docker_workshop.write(seconds=600)
    process = docker_workshop.start(*TRAINING)
    api: Any = docker_workshop.daemon.client.api
    for times in (1, 2, 3):
        api.remove_container(working(docker_workshop, times), force=True)
    ended(process, 1)
    found = the_manifest(docker_workshop)
    assert (found.status, found.transient) == ("crashed", True)
    assert found.reason == "somebody removed its container"


def test_a_cell_whose_container_is_stopped_is_cancelled(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=600)
    process = docker_workshop.start(*TRAINING)
    docker_workshop.daemon.client.api.stop(working(docker_workshop))
    ended(process, 1)
    found = the_manifest(docker_workshop)
    assert (found.status, found.transient) == ("cancelled", True)
    assert found.reason == "the runner got SIGTERM"
    assert aside(docker_workshop) == 0


def test_a_cell_whose_container_is_hung_up_is_cancelled(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=600)
    process = docker_workshop.start(*TRAINING)
    docker_workshop.daemon.client.api.kill(working(docker_workshop), "SIGHUP")
    ended(process, 1)
    assert the_manifest(docker_workshop).status == "cancelled"


def test_a_cell_that_is_paused_can_be_interrupted(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=600)
    process = docker_workshop.start(*TRAINING)
    docker_workshop.daemon.client.api.pause(working(docker_workshop))
    process.send_signal(signal.SIGHUP)
    ended(process, 130)
    found = the_manifest(docker_workshop)
    assert (found.status, found.transient) == ("cancelled", True)
    assert docker_workshop.left() == []


def test_a_cell_that_is_paused_for_a_while_goes_on(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=2)
    process = docker_workshop.start(*TRAINING)
    api: Any = docker_workshop.daemon.client.api
    container = working(docker_workshop)
    api.pause(container)
    api.unpause(container)
    ended(process, 0)
    assert the_manifest(docker_workshop).status == "ok"
