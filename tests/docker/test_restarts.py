"""The daemon goes away in the middle of a run: the cell in flight is lost, and nothing else."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from manifests.codec import read_manifest
from orchestrator.engines.docker.builds import tag
from orchestrator.environments.images import load_image
from tests.docker.conftest import TIMES, DockerWorkshop, wait_for
from tests.docker.engines import PrivateEngine

pytestmark = pytest.mark.docker
ALPHA = ("-k", "alpha")


def statuses(workshop: DockerWorkshop) -> list[str]:
    return [read_manifest(path).status for path in workshop.manifests() if is_cell(path)]


def is_cell(manifest: Path) -> bool:
    """Not an attempt that was put aside."""
    return "attempt" not in manifest.parent.name


def made(manifest: Path) -> str:
    """When it was made and how long that took; its telemetry may be added afterwards."""
    read = read_manifest(manifest)
    return f"{read.started_at} {read.wall_s}"


def aside(workshop: DockerWorkshop) -> list[str]:
    return sorted(path.name for path in workshop.runs.glob("*/cells/*.attempt-*"))


def begun(workshop: DockerWorkshop) -> int:
    """How many cells have begun their work, those put aside included."""
    return workshop.events().count('"work"')


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restart_loses_the_cell_in_flight_alone(
    private_workshop: DockerWorkshop, private_engine: PrivateEngine, number: signal.Signals
) -> None:
    private_workshop.write(seconds=2.0)
    process = private_workshop.start(*ALPHA)
    wait_for(lambda: begun(private_workshop) == 2, "the second cell does not work")
    (first,) = private_workshop.manifests()
    finished = first.read_bytes()
    private_engine.stop(number)
    private_engine.start()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert "is run again: the Docker daemon went away" in errors
    assert statuses(private_workshop) == ["ok"] * 3
    assert first.read_bytes() == finished
    (lost,) = aside(private_workshop)
    assert lost.endswith(".attempt-1")
    again = [read_manifest(path).context for path in private_workshop.manifests() if is_cell(path)]
    assert sorted(c.attempt for c in again if c is not None) == [1, 1, 2]


def test_a_daemon_that_stays_away_ends_the_run_which_can_go_on_later(
    private_workshop: DockerWorkshop, private_engine: PrivateEngine
) -> None:
    private_workshop.write(seconds=2.0)
    private_workshop.environment["BACK_WITHIN_S"] = "2"
    process = private_workshop.start(*ALPHA)
    wait_for(lambda: begun(private_workshop) == 2, "the second cell does not work")
    (first,) = private_workshop.manifests()
    finished = first.read_bytes()
    private_engine.stop(signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 3, errors
    told = errors.splitlines()
    assert "the Docker daemon went away; waiting for it to come back" in errors
    assert told[-1] == (
        "repliquant: the Docker daemon went away and did not come back. Start it and run again: "
        "finished cells are kept"
    )
    assert "Traceback" not in errors

    private_engine.start()
    private_workshop.run(*ALPHA)
    assert statuses(private_workshop) == ["ok"] * 3
    assert first.read_bytes() == finished


def test_ctrl_c_does_not_wait_for_a_daemon_that_is_away(
    private_workshop: DockerWorkshop, private_engine: PrivateEngine
) -> None:
    private_workshop.write(seconds=600)
    process = private_workshop.start(*ALPHA)
    wait_for(lambda: begun(private_workshop) == 1, "the first cell does not work")
    private_engine.stop(signal.SIGKILL)
    assert process.stderr is not None
    wait_for(lambda: "waiting for it" in str(process.stderr.readline()), "it does not wait")
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert time.monotonic() - begin < 10
    assert process.returncode == 130, errors
    assert statuses(private_workshop) == ["cancelled"]
    private_engine.start()
    private_workshop.write(seconds=0)
    private_workshop.run("-k", "alpha and train")


def test_restarts_at_any_moment(
    private_workshop: DockerWorkshop, private_engine: PrivateEngine
) -> None:
    """Each takes one cell at most; what was finished before stays what it was.

    One that comes at the very end may bring back a container: the next run removes it.
    """
    private_workshop.write(seconds=0.3, repeats=TIMES)
    moments = random.Random(3)
    process = private_workshop.start(*ALPHA)
    wait_for(lambda: begun(private_workshop) == 1, "the first cell does not work")
    finished: dict[Path, str] = {}
    for _ in range(TIMES):
        time.sleep(moments.uniform(1.0, 6.0))
        private_engine.stop(moments.choice([signal.SIGTERM, signal.SIGKILL]))
        for path in filter(is_cell, private_workshop.manifests()):
            if not read_manifest(path).transient:
                finished.setdefault(path, made(path))
        private_engine.start()
    _, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors
    assert statuses(private_workshop) == ["ok"] * (1 + 2 * TIMES)
    assert len(aside(private_workshop)) <= TIMES
    assert {path: made(path) for path in finished} == finished
    private_workshop.run(*ALPHA)
    assert private_workshop.left() == []


def test_a_daemon_that_goes_away_during_a_build(
    private_workshop: DockerWorkshop, private_engine: PrivateEngine
) -> None:
    alpha = load_image("alpha", private_workshop.folder / "images")
    private_workshop.environment["REPLIQUANT_BASE"] = tag(alpha)
    text = alpha.dockerfile.read_text()
    alpha.dockerfile.write_text(text.replace("RUN python3", "RUN sleep 600; python3"))
    process = private_workshop.start(*ALPHA)
    api = private_workshop.daemon.client.api
    wait_for(api.containers, "the build has not begun")
    private_engine.stop(signal.SIGKILL)
    _, errors = process.communicate(timeout=60)
    private_engine.start()
    for left in api.containers(all=True):
        api.remove_container(left["Id"], force=True)
    assert process.returncode == 3, errors
    assert "no Docker daemon" in errors and "Traceback" not in errors
