"""The orchestrator killed at any moment: nothing finished is lost, nothing foreign is touched."""

from __future__ import annotations

import json
import os
import random
import subprocess
import uuid
from pathlib import Path

import pytest

from manifests.codec import read_manifest
from orchestrator.containers.reaping import OWNER
from orchestrator.locks import exclusive
from tests.docker.conftest import BASE, DockerWorkshop, wait_for

pytestmark = pytest.mark.docker
KILLS = int(os.environ.get("REPLIQUANT_TEST_KILLS", "20"))
OUTLIVES_S = 60


def test_killed_again_and_again(docker_workshop: DockerWorkshop) -> None:
    """Each time at a random moment; then a last start that finishes."""
    docker_workshop.write(repeats=4, seconds=0.3)
    docker_workshop("images", "build", "alpha", "beta", "--engine", "docker")
    chance = random.Random(20261122)
    finished: dict[Path, bytes] = {}
    for _ in range(KILLS):
        process = docker_workshop.start()
        try:
            process.communicate(timeout=chance.uniform(0.3, 6.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        for path, content in finished.items():
            assert path.read_bytes() == content, "a finished cell was lost or run again"
        finished = {path: path.read_bytes() for path in docker_workshop.manifests()}
        for path in finished:
            read_manifest(path)  # raises for one that is damaged
    docker_workshop.run()
    assert all(read_manifest(path).status == "ok" for path in docker_workshop.manifests())
    assert all(path.read_bytes() == content for path, content in finished.items())
    assert docker_workshop.left() == []


def test_a_container_ends_soon_after_its_orchestrator(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=600)
    process = docker_workshop.start("-k", "alpha and train")
    wait_for(lambda: "work" in docker_workshop.events(), "the work has not begun")
    process.kill()
    process.communicate()
    ended = "the container outlived its orchestrator"
    wait_for(lambda: not docker_workshop._running(), ended, OUTLIVES_S)
    docker_workshop.write()
    docker_workshop.run("-k", "alpha and train")


def test_only_what_a_dead_orchestrator_of_ours_left_is_removed(
    docker_workshop: DockerWorkshop,
) -> None:
    """Beside it: one without labels, one of an unknown orchestrator, one of a living one."""
    orchestrators = locks_of(docker_workshop)
    living, dead, unknown = (uuid.uuid4().hex for _ in range(3))
    (orchestrators / dead).write_text("")
    labels = {
        "plain": {}, "unknown": {OWNER: unknown}, "living": {OWNER: living}, "dead": {OWNER: dead}
    }  # fmt: skip
    client = docker_workshop.daemon.client
    made = {
        name: client.containers.create(BASE, ["sleep", "300"], labels=label)
        for name, label in labels.items()
    }
    try:
        with exclusive(orchestrators / living):
            done = docker_workshop.run("-k", "alpha and train", "--json")
        assert json.loads(done.stdout)["counts"] == {"ok": 1}
        there = {container.id for container in client.containers.list(all=True)}
        assert [name for name, c in made.items() if c.id in there] == ["plain", "unknown", "living"]
    finally:
        for container in made.values():
            if client.containers.list(all=True, filters={"id": container.id}):
                container.remove(force=True)


def locks_of(workshop: DockerWorkshop) -> Path:
    """The folder in which the orchestrators of this cache and this daemon hold their locks."""
    workshop.run("-k", "beta and train")
    top = workshop.folder / "cache" / "orchestrators"
    return next((path for path in top.iterdir() if path.is_dir()), top)


def test_two_runs_at_once_leave_each_other_alone(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=0.5)
    runs = docker_workshop.runs
    first = docker_workshop.start("--run", str(runs / "first"))
    second = docker_workshop.start("--run", str(runs / "second"))
    for process in (first, second):
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
    found = [read_manifest(path) for path in docker_workshop.manifests()]
    assert [manifest.status for manifest in found] == ["ok"] * 12
    assert all(m.context is not None and m.context.attempt == 1 for m in found)
