"""The orchestrator is killed at any moment: nothing finished is lost, nobody else is touched."""

from __future__ import annotations

import contextlib
import random
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.codec import read_manifest
from orchestrator.engines.docker.reaping import CELL, OWNER
from tests.docker.conftest import BASE, TIMES, DockerWorkshop, wait_for

pytestmark = pytest.mark.docker
KILLS = max(6, TIMES)
ALPHA = ("-k", "alpha")


@contextlib.contextmanager
def foreign(workshop: DockerWorkshop) -> Iterator[list[Any]]:
    """Containers of others: one without our labels, one of an orchestrator that nobody knows."""
    made = [
        workshop.daemon.client.containers.run(
            BASE, ["sleep", "600"], detach=True, network_mode="none", labels=labels
        )
        for labels in ({}, {OWNER: uuid.uuid4().hex, CELL: "0123456789ab"})
    ]
    try:
        yield list(made)
    finally:
        for container in made:
            container.remove(force=True)


def start_living(workshop: DockerWorkshop) -> tuple[subprocess.Popen[str], str]:
    """Another run of the same user, which goes on all the while; the id of its container."""
    folder = workshop.runs / "living"
    process = workshop.start("-k", "beta and train", "--run", str(folder))
    wait_for(lambda: any(folder.glob("cells/*/events.jsonl")), "the other run does not work")
    (cell,) = (path.parent.name for path in folder.glob("cells/*/events.jsonl"))
    label = {"label": f"{CELL}={cell}"}
    (container,) = workshop.daemon.client.api.containers(filters=label)
    return process, container["Id"]


def finished(workshop: DockerWorkshop) -> dict[Path, bytes]:
    """The manifests of cells that have ended for good; every manifest has to be readable."""
    paths = workshop.runs.glob("toy-*/cells/*/manifest.json")
    return {path: path.read_bytes() for path in paths if not read_manifest(path).transient}


def test_killing_the_orchestrator_again_and_again_loses_and_touches_nothing(
    docker_workshop: DockerWorkshop,
) -> None:
    docker_workshop.write(seconds=600)
    with foreign(docker_workshop) as others:
        living, container = start_living(docker_workshop)
        others.append(docker_workshop.daemon.client.containers.get(container))
        docker_workshop.write(seconds=0.2, repeats=KILLS)
        moments = random.Random(20)
        before: dict[Path, bytes] = {}
        for _ in range(KILLS):
            process = docker_workshop.start(*ALPHA)
            time.sleep(moments.uniform(0.4, 3.0))
            process.kill()
            process.communicate()
            now = finished(docker_workshop)
            assert {path: now[path] for path in before} == before
            before = now
        docker_workshop.run(*ALPHA)

        after = finished(docker_workshop)
        assert {path: after[path] for path in before} == before
        assert len(after) == 1 + 2 * KILLS
        assert all(read_manifest(path).status == "ok" for path in after)
        assert not list(docker_workshop.runs.glob("toy-*/cells/*.attempt-*/manifest.json"))
        for other in others:
            other.reload()
            assert other.status == "running"
            assert other.attrs["RestartCount"] == 0
        assert docker_workshop.left() == [others[-1].name]
        living.send_signal(2)
        living.communicate(timeout=60)


def test_a_container_ends_with_its_orchestrator(docker_workshop: DockerWorkshop) -> None:
    """By itself, within a minute; the next run removes it, and only then starts."""
    docker_workshop.write(seconds=600)
    process = docker_workshop.start("-k", "alpha and train")
    wait_for(lambda: "work" in docker_workshop.events(), "the work has not begun")
    (name,) = docker_workshop.left()
    container = docker_workshop.daemon.client.containers.get(name)
    process.kill()
    process.communicate()

    def state() -> str:
        container.reload()
        return str(container.status)

    wait_for(lambda: state() == "exited", "it outlived its orchestrator", seconds=60)
    assert container.attrs["State"]["ExitCode"] == 125
    docker_workshop.write(seconds=0)
    done = docker_workshop.run("-k", "alpha and train")
    assert "removed 1 container that a dead orchestrator left" in done.stderr
    assert docker_workshop.left() == []
    locks = list((docker_workshop.folder / "cache" / "orchestrators").glob("*/*"))
    assert len(locks) == 2  # kept for an hour each, in case something of them appears late


def test_what_could_not_be_removed_is_removed_by_the_next_run(
    docker_workshop: DockerWorkshop,
) -> None:
    """As after a daemon that failed to: its orchestrator has ended in an orderly way."""
    docker_workshop.run("-k", "alpha and train")
    (daemon,) = (docker_workshop.folder / "cache" / "orchestrators").iterdir()
    dead = uuid.uuid4().hex
    (daemon / dead).write_text("process 1 on elsewhere\n")
    client = docker_workshop.daemon.client
    made = client.containers.create(BASE, ["true"], labels={OWNER: dead}, network_mode="none")
    volume = client.volumes.create(labels={OWNER: dead})
    docker_workshop.run("-k", "alpha and infer")
    assert made.id not in {c.id for c in client.containers.list(all=True)}
    assert volume.name not in {v.name for v in client.volumes.list()}


def test_two_runs_at_once_leave_each_other_alone(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=0.5)
    runs = docker_workshop.runs
    first = docker_workshop.start(*ALPHA, "--run", str(runs / "first"))
    second = docker_workshop.start(*ALPHA, "--run", str(runs / "second"))
    for process in (first, second):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    found = [read_manifest(path) for path in docker_workshop.manifests()]
    assert [manifest.status for manifest in found] == ["ok"] * 6
    assert all(m.context is not None and m.context.attempt == 1 for m in found)
