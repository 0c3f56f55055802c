"""A sampler that was held up: with its cell, or alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from machine.cell_readers import CellReadings, ProcessTree
from manifests import order
from manifests.event import Phase, Step, encode
from manifests.manifest import CodeVersion, Context, ImageUsed
from manifests.series_reader import read_series
from manifests.telemetry_series import CellSample
from runners.stalls import NoticesStalls
from tests.fakes.clock import Clock
from tests.manifests.samples import a_cell
from tests.orchestrator.reading import wait_until


class Cell:
    """A reader that says what a test wants."""

    source = "a test"

    def __init__(self) -> None:
        self.percent: float | None = 0.0

    def read(self) -> CellReadings:
        return CellReadings(CellSample(cpu_percent=self.percent, processes=1), {})


class Held:
    """A reader on four processors whose sampler sleeps from 10.2 to 15.2 s."""

    def __init__(self) -> None:
        self.clock, self.cell = Clock(10.0), Cell()
        self.reader = NoticesStalls(cast(ProcessTree, self.cell), self.clock, cpus=4)

    def stopped(self, *events: tuple[float, float], percent: float | None = 0.0) -> bool:
        """``events`` are when they happened and when they were heard, on one clock."""
        for happened, heard in events:
            if heard < 15.2:
                self.reader.heard(happened, heard)
        self.clock.now_s = 15.2
        self.reader.held_up(10.2, 15.2)
        for happened, heard in events:
            if heard >= 15.2:
                self.reader.heard(happened, heard)
        self.cell.percent = percent
        return self.reader.read().sample.stopped


BEFORE = (10.0, 10.0)


def test_a_cell_of_which_nothing_is_heard_stood_still() -> None:
    held = Held()
    assert held.stopped(BEFORE, percent=2.0)
    held.clock.now_s = 15.4
    assert not held.reader.read().sample.stopped  # said once


def test_a_cell_that_sent_events_meanwhile_did_not() -> None:
    assert not Held().stopped(BEFORE, (12.0, 15.2), (14.0, 15.2))


def test_what_it_sent_before_and_after_says_nothing() -> None:
    assert Held().stopped(BEFORE, (10.3, 15.2), (15.1, 15.2))
    assert Held().stopped((12.0, 15.2))  # its clock is not known yet


def test_a_cell_that_computed_meanwhile_did_not_stand_still() -> None:
    # In the 0.2 s that are left, four processors have 0.8 s; over 5.2 s that is 15.4 %.
    assert Held().stopped(BEFORE, percent=15.0)
    assert not Held().stopped(BEFORE, percent=16.0)
    assert Held().stopped(BEFORE, percent=None)


def test_a_sampler_that_sleeps_as_it_wanted_says_nothing() -> None:
    held = Held()
    for number in range(5):
        held.reader.held_up(10.0 + number, 11.9 + number)
    assert not held.reader.read().sample.stopped


KIT = CodeVersion(version="0", commit=None, dirty=False)


class Sampled:
    """A cell that burns, and a real sampler beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.began = folder, time.monotonic()
        context = Context(engine="e", image=ImageUsed(name="i", kind="given"), kit=KIT, run="r")
        ordered = order.CellOrder(cell=a_cell(), context=context)
        (folder / order.FILE_NAME).write_bytes(msgspec.json.encode(ordered))
        burn = "while True: pass"
        self.cell = subprocess.Popen([sys.executable, "-c", burn])
        command = [sys.executable, "-m", "runners.telemetry", str(folder), str(self.cell.pid)]
        self.sampler = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        self.say(Phase(time_s=0.0, name="measure"))
        wait_until(lambda: self._lines() >= 3, "the sampler takes no samples")

    def say(self, event: Phase | Step) -> None:
        assert self.sampler.stdin is not None
        self.sampler.stdin.write(encode(event))
        self.sampler.stdin.flush()

    def stall(self, *stopped: subprocess.Popen[bytes]) -> list[bool]:
        """Whether each sample says that the cell was stopped, after these were for 2.6 s."""
        for process in stopped:
            os.kill(process.pid, signal.SIGSTOP)
        time.sleep(2.6)
        before = self._lines()
        for process in stopped:
            os.kill(process.pid, signal.SIGCONT)
        wait_until(lambda: self._lines() >= before + 2, "the sampler takes no samples")
        assert self.sampler.stdin is not None
        self.sampler.stdin.close()
        self.sampler.wait(20)
        samples = read_series(self.folder / "telemetry.jsonl").samples
        return [cell.stopped for sample in samples for cell in sample.cells.values()]

    def _lines(self) -> int:
        path = self.folder / "telemetry.jsonl"
        return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.fixture
def sampled(tmp_path: Path) -> Iterator[Sampled]:
    made = Sampled(tmp_path)
    yield made
    for process in (made.cell, made.sampler):
        process.kill()
        process.wait()


def test_a_healthy_cell_whose_sampler_was_stopped_is_not_suspended(sampled: Sampled) -> None:
    assert not any(sampled.stall(sampled.sampler))


def test_a_cell_that_was_stopped_with_its_sampler_is(sampled: Sampled) -> None:
    assert any(sampled.stall(sampled.cell, sampled.sampler))
