"""An orchestrator that comes back follows cells that still run; real processes throughout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import msgspec
import psutil
import pytest

from manifests.codec import read_manifest
from orchestrator.engines import found_process
from orchestrator.engines.base import HANDLE, Handle
from orchestrator.engines.live_cells import read_handle, write_handle
from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import (
    TITLES,
    attempts_aside,
    ids,
    runner_processes,
    statuses,
    the_run,
    wait_until,
)

pytestmark = pytest.mark.cells
FIRST = "alpha and train"


@pytest.fixture
def left(workshop: Workshop) -> Workshop:
    """A workshop whose first cell goes on after its orchestrator was killed, until ``go``."""
    workshop.environment["FAKE_DETACHES"] = "1"
    workshop.environment["FAKE_UNTIL"] = str(workshop.folder / "go")
    process = workshop.start("-k", FIRST)
    wait_until(workshop.executed, "no cell was started")
    wait_until(lambda: known(workshop), "its process is not known")
    process.kill()
    process.communicate()
    assert runner_processes(workshop)
    return workshop


def go(workshop: Workshop) -> None:
    (workshop.folder / "go").touch()


def following(workshop: Workshop, *arguments: str) -> subprocess.Popen[str]:
    """An orchestrator that has found the cell that still runs."""
    process = workshop.start(*(arguments or ("-k", FIRST)))
    line = ""
    assert process.stderr is not None
    while "still runs" not in line:
        line = process.stderr.readline()
        assert line
    return process


def ended(process: subprocess.Popen[str], status: int = 0) -> str:
    _, told = process.communicate(timeout=60)
    assert process.returncode == status, told
    return told


def folder(workshop: Workshop) -> Path:
    return the_run(workshop).cell_folder(ids(workshop)[TITLES[0]])


def known(workshop: Workshop) -> bool:
    handle = read_handle(folder(workshop))
    return handle is not None and "started" in handle.known


def test_a_cell_that_outlived_its_orchestrator_is_followed_and_not_started_again(
    left: Workshop,
) -> None:
    process = following(left)
    go(left)
    ended(process)
    assert left.executed() == [ids(left)[TITLES[0]]]
    assert attempts_aside(left) == []
    assert statuses(left)[0] == "ok"
    manifest = read_manifest(folder(left) / "manifest.json")
    assert manifest.context is not None and manifest.context.attempt == 1
    assert [phase.name for phase in manifest.phases] == ["import", "work"]


def test_what_comes_after_it_starts_when_it_has_ended(left: Workshop) -> None:
    process = following(left, "-k", "alpha and batch_size=1")
    time.sleep(0.5)
    assert len(left.executed()) == 1
    go(left)
    ended(process)
    first, second = ids(left)[TITLES[0]], ids(left)[TITLES[2]]
    assert left.executed() == [first, second]
    assert statuses(left)[0] == statuses(left)[2] == "ok"


def test_a_handle_without_its_process_finds_it_by_name(left: Workshop) -> None:
    """The orchestrator died between handing over and writing down to whom."""
    handle = read_handle(folder(left))
    assert handle is not None
    write_handle(folder(left), msgspec.structs.replace(handle, known={}))
    process = following(left)
    go(left)
    ended(process)
    assert len(left.executed()) == 1 and statuses(left)[0] == "ok"


def test_one_that_ended_meanwhile_has_its_manifest_and_is_done(left: Workshop) -> None:
    go(left)
    wait_until(lambda: (folder(left) / "manifest.json").exists(), "no manifest was sealed")
    assert "0 cells executed" in left.run("-k", FIRST).stderr
    assert len(left.executed()) == 1


def test_one_whose_launcher_was_killed_too_is_run_again(left: Workshop) -> None:
    handle = read_handle(folder(left))
    assert handle is not None
    os.killpg(int(handle.known["pid"]), signal.SIGKILL)
    wait_until(lambda: not runner_processes(left), "the cell outlived its launcher")
    go(left)
    left.run("-k", FIRST)
    assert len(left.executed()) == 2 and len(attempts_aside(left)) == 1
    assert statuses(left)[0] == "ok"


def test_one_whose_launcher_is_killed_while_it_is_followed_is_run_again(left: Workshop) -> None:
    handle = read_handle(folder(left))
    assert handle is not None
    process = following(left)
    os.killpg(int(handle.known["pid"]), signal.SIGKILL)
    go(left)
    told = ended(process)
    assert "run again: its launcher ended without a manifest" in told
    assert len(left.executed()) == 2 and statuses(left)[0] == "ok"


def test_ctrl_c_ends_one_that_is_followed_as_cancelled(left: Workshop) -> None:
    process = following(left)
    process.send_signal(signal.SIGINT)
    ended(process, 130)
    assert runner_processes(left) == []
    manifest = read_manifest(folder(left) / "manifest.json")
    assert (manifest.status, manifest.reason) == ("cancelled", "interrupted")


def test_without_that_property_a_cell_ends_with_its_orchestrator(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=30)
    process = workshop.start("-k", FIRST)
    wait_until(workshop.executed, "no cell was started")
    process.kill()
    process.communicate()
    wait_until(lambda: not runner_processes(workshop), "a cell outlived its orchestrator")


def test_the_handle_is_on_disk_before_the_work_is_handed_over(workshop: Workshop) -> None:
    """The gate holds the engine just before it starts the process."""
    gate = workshop.folder / "gate"
    workshop.environment["FAKE_GATE"] = str(gate)
    process = workshop.start("-k", FIRST)
    wait_until(lambda: list(workshop.folder.glob("gate.*")), "no cell came to the gate")
    written = json.loads((folder(workshop) / HANDLE).read_bytes())
    assert written["engine"] == "fake" and len(written["name"]) == 32 and not written["known"]
    assert runner_processes(workshop) == []
    gate.touch()
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_another_process_that_got_the_number_is_not_taken_for_the_cell() -> None:
    with subprocess.Popen(["sleep", "60"]) as other:
        taken = found_process.identity(other.pid)
        assert psutil.pid_exists(other.pid)
        handle = Handle(engine="local", cell="x", name="n", known=taken)
        assert found_process.find(handle) is not None
        earlier = {**taken, "started": str(int(taken["started"]) - 1)}
        assert found_process.find(msgspec.structs.replace(handle, known=earlier)) is None
        other.kill()
        other.wait()
    time.sleep(0.01)
    assert found_process.find(handle) is None
