"""Stopping and killing at any moment: no finished cell is lost, none is run twice."""

from __future__ import annotations

import fcntl
import os
import pty
import random
import signal
import subprocess
import termios
import time

import psutil
import pytest

from manifests.codec import read_manifest
from tests.conftest import Workshop
from tests.fakes.studies import write_image, write_study
from tests.orchestrator.reading import (
    TITLES,
    ids,
    manifests,
    runner_processes,
    statuses,
    the_run,
    wait_until,
)

pytestmark = pytest.mark.cells


def first_cell_works(workshop: Workshop) -> None:
    """Wait until a technique has been entered."""
    wait_until(workshop.executed, "no cell was started")


@pytest.mark.first(1)
@pytest.mark.parametrize(
    "numbers",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGHUP], [signal.SIGHUP, signal.SIGHUP]],
    ids=lambda numbers: " ".join(number.name for number in numbers),
)
def test_a_signal_marks_the_cell_that_was_cut_off_and_the_next_start_goes_on(
    workshop: Workshop, numbers: list[signal.Signals]
) -> None:
    """A closed terminal sends SIGHUP twice: once to its shell, which passes it on, and to all."""
    write_study(workshop.folder, seconds=0.7)
    process = workshop.start("-k", "alpha and batch_size=1")
    first_cell_works(workshop)
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.1)
    _, told = process.communicate(timeout=120)
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


def test_under_nohup_a_closed_terminal_changes_nothing(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=0.5)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        process = workshop.start("-k", "alpha and batch_size=1")
    finally:
        signal.signal(signal.SIGHUP, before)
    first_cell_works(workshop)
    process.send_signal(signal.SIGHUP)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert statuses(workshop) == ["ok", "-", "ok", "-", "-", "-"]


def test_a_terminal_that_is_closed_ends_the_run_with_a_manifest(workshop: Workshop) -> None:
    """What is still written to it fails from then on; that must not cost the manifest."""
    write_study(workshop.folder, seconds=60)
    process, terminal = _on_a_terminal(workshop, hangup=True)
    first_cell_works(workshop)
    os.close(terminal)
    assert process.wait(timeout=60) == 130
    cut_off = manifests(workshop)[TITLES[0]]
    assert (cut_off.status, cut_off.reason, cut_off.transient) == ("cancelled", "interrupted", True)
    assert cut_off.telemetry is not None
    assert runner_processes(workshop) == []


def test_a_run_that_is_kept_from_the_hangup_goes_on_without_its_terminal(
    workshop: Workshop,
) -> None:
    write_study(workshop.folder, seconds=0.5)
    process, terminal = _on_a_terminal(workshop, hangup=False)
    first_cell_works(workshop)
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    assert statuses(workshop) == ["ok", "-", "ok", "ok", "-", "-"]


def _on_a_terminal(workshop: Workshop, hangup: bool) -> tuple[subprocess.Popen[bytes], int]:
    """A run at a terminal of its own, and the terminal's other end."""
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL if hangup else signal.SIG_IGN)

    process = subprocess.Popen(
        workshop.command("run", "toy", "--engine", "fake", "-k", "alpha"), cwd=workshop.folder,
        env={**workshop.environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs,
        preexec_fn=take_terminal,
    )  # fmt: skip
    os.close(theirs)
    return process, ours


@pytest.mark.first(1)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_build_that_is_cut_off_takes_what_it_started_along(
    workshop: Workshop, number: signal.Signals
) -> None:
    mark = workshop.folder / "verifying"
    write_image(
        workshop.folder,
        "slow",
        verify=f"import time; open({str(mark)!r}, 'w').close(); time.sleep(600)",
    )
    process = subprocess.Popen(
        workshop.command("images", "build", "slow", "--engine", "local"), cwd=workshop.folder,
        env=workshop.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_until(mark.exists, "its verification never began")
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert told.splitlines()[-1] == "repliquant: interrupted"
    verify = str(workshop.folder / "images" / "slow" / "verify.py")
    commands = [found.info["cmdline"] or [] for found in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if verify in command]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_the_runner_alone_leaves_its_manifest(
    workshop: Workshop, number: signal.Signals
) -> None:
    write_study(workshop.folder, seconds=60)
    process = workshop.start("-k", "alpha and train")
    first_cell_works(workshop)
    (runner,) = runner_processes(workshop)
    os.kill(runner.pid, number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 1, told
    cut_off = manifests(workshop)[TITLES[0]]
    assert (cut_off.status, cut_off.transient) == ("cancelled", True)
    assert cut_off.reason == f"the runner got {number.name}"
    assert [phase.name for phase in cut_off.phases] == ["import", "work"]


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
    _, told = process.communicate(timeout=30)
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
