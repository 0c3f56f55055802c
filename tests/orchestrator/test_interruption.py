"""Stopping and killing at any moment: no finished cell is lost, none is run twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time

import pytest

from manifests.codec import read_manifest
from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import (
    TITLES,
    ids,
    manifests,
    runner_processes,
    statuses,
    the_run,
    wait_until,
)


def first_cell_works(workshop: Workshop) -> None:
    """Wait until a technique has been entered."""
    wait_until(workshop.executed, "no cell was started")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_marks_the_cell_that_was_cut_off_and_the_next_start_goes_on(
    workshop: Workshop, number: signal.Signals
) -> None:
    write_study(workshop.folder, seconds=0.7)
    process = workshop.start("-k", "alpha and batch_size=1")
    first_cell_works(workshop)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert told.splitlines()[-1] == "repliquant: interrupted"
    assert "Traceback" not in told
    assert runner_processes(workshop) == []
    cut_off = manifests(workshop)[TITLES[0]]
    assert (cut_off.status, cut_off.reason, cut_off.transient) == ("cancelled", "interrupted", True)
    assert [phase.name for phase in cut_off.phases] == ["import", "work"]

    again = workshop.run("-k", "alpha and batch_size=1")
    assert "again: alpha train plain batch 2: it was cancelled: interrupted" in again.stderr
    assert statuses(workshop) == ["ok", "-", "ok", "-", "-", "-"]


def test_a_second_ctrl_c_does_not_wait_for_a_cell_that_will_not_stop(workshop: Workshop) -> None:
    study = write_study(workshop.folder, seconds=60) / "study.toml"
    study.write_text(study.read_text().replace('behave = "ok"', 'behave = "deaf"', 1))
    process = workshop.start("-k", "alpha and train")
    folder = the_run(workshop).cells
    wait_until(lambda: b'"work"' in _events(workshop), "the technique was not entered")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    wait_until(lambda: list(folder.glob("*/stop.json")), "nobody asked the cell to stop")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=10)
    assert process.returncode == 130, told
    assert runner_processes(workshop) == []
    assert "Traceback" not in told


def _events(workshop: Workshop) -> bytes:
    return b"".join(p.read_bytes() for p in the_run(workshop).cells.glob("*/events.jsonl"))


def test_killing_the_orchestrator_again_and_again_loses_and_repeats_nothing(
    workshop: Workshop,
) -> None:
    write_study(workshop.folder, seconds=0.05, repeats=3)
    moments = random.Random(20)
    for _ in range(12):
        process = workshop.start()
        try:
            process.communicate(timeout=moments.uniform(0.15, 1.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
        _every_manifest_is_whole(workshop)
    workshop.run()

    assert statuses(workshop) == ["ok"] * 14
    _nothing_finished_ran_again(workshop)
    wait_until(lambda: not runner_processes(workshop), "a runner outlived its orchestrator")


def _every_manifest_is_whole(workshop: Workshop) -> None:
    for path in workshop.manifests():
        read_manifest(path)


def _nothing_finished_ran_again(workshop: Workshop) -> None:
    """An attempt that was put aside has no manifest, and each id ran at most once an attempt."""
    run = the_run(workshop)
    assert list(run.cells.glob("*.attempt-*/manifest.json")) == []
    entered = workshop.executed()
    for cell in ids(workshop).values():
        attempts = 1 + len(list(run.cells.glob(f"{cell}.attempt-*")))
        assert 1 <= entered.count(cell) <= attempts


def test_killing_a_runner_is_a_crash_that_is_tried_again_at_the_next_start(
    workshop: Workshop,
) -> None:
    write_study(workshop.folder, seconds=0.5)
    process = workshop.start("-k", "batch_size=1")
    first_cell_works(workshop)
    (runner,) = runner_processes(workshop)
    os.kill(runner.pid, signal.SIGKILL)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1, told
    assert "alpha train plain batch 2: crashed (ended by SIGKILL from outside" in told
    found = manifests(workshop)
    assert (found[TITLES[0]].status, found[TITLES[0]].transient) == ("crashed", True)
    assert found[TITLES[2]].status == "unsupported"
    assert found[TITLES[1]].status == found[TITLES[4]].status == "ok"

    workshop.run("-k", "batch_size=1")
    assert statuses(workshop) == ["ok", "ok", "ok", "-", "ok", "-"]
    by_title = ids(workshop)
    assert workshop.executed().count(by_title[TITLES[0]]) == 2
    assert workshop.executed().count(by_title[TITLES[1]]) == 1


def test_a_runner_ends_when_its_orchestrator_is_killed(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=60)
    process = workshop.start("-k", "alpha and train")
    first_cell_works(workshop)
    process.kill()
    process.communicate()
    wait_until(lambda: not runner_processes(workshop), "the runner outlived its orchestrator")
