"""The recorder under a clock of its own: where phases are placed, its limit, a full disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from machine.cell_readers import ProcessTree
from machine.gpus import NvmlGpus
from machine.nvml import Nvml
from machine.recorder import Recorder
from machine.sampler import Sampler
from manifests.event import Phase
from manifests.series_reader import read_series
from manifests.telemetry_series import PhaseMark
from tests.fakes.clock import Clock
from tests.fakes.nvml import FakeGpu, FakeNvml
from tests.machine.processes import Unreadable


def recorder(folder: Path, clock: Clock, most_bytes: int = 2**20) -> tuple[Sampler, Recorder]:
    source = Sampler(gpus=NvmlGpus(Nvml(FakeNvml(FakeGpu()))), clock=clock)
    return source, Recorder(source, folder, "abc", (0,), most_bytes)


def test_phases_are_placed_by_the_quickest_event(tmp_path: Path) -> None:
    clock = Clock(100.0)
    _, found = recorder(tmp_path, clock)
    found.begin(ProcessTree(os.getpid()))
    clock.now_s = 101.5  # the runner began at 101 and its word came late
    found.heard(Phase(time_s=0.25, name="import"))
    clock.now_s = 103.0
    found.heard(Phase(time_s=2.0, name="measure"))
    clock.now_s = 104.5
    found.heard(Phase(time_s=3.0, name="end-to-end"))
    found.finish()
    assert read_series(tmp_path / "telemetry.jsonl").phases == [
        PhaseMark(time_s=1.5, name="import", runner_s=0.25),
        PhaseMark(time_s=3.0, name="measure", runner_s=2.0),
        PhaseMark(time_s=4.0, name="end-to-end", runner_s=3.0),
    ]


def test_an_hour_stays_within_its_limit_and_is_summed_up_whole(tmp_path: Path) -> None:
    clock = Clock()
    source, found = recorder(tmp_path, clock, most_bytes=100_000)
    found.begin(Unreadable("not here"))
    found.heard(Phase(time_s=0.0, name="train"))
    for number in range(2000):
        clock.now_s = number * 1.8
        source.tick()
    record = found.finish()
    assert (tmp_path / "telemetry.jsonl").stat().st_size <= 100_000
    assert record.telemetry.samples == 2002
    assert record.telemetry.kept_every >= 4
    assert record.telemetry.phase_samples == [2002]
    series = read_series(tmp_path / "telemetry.jsonl")
    assert series.opening.kept_every == record.telemetry.kept_every
    assert series.opening.cell_source == ""


def test_a_full_disk_ends_the_series_and_not_the_summary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    source, found = recorder(tmp_path, clock)
    found.begin(ProcessTree(os.getpid()))
    source.tick()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("machine.series_file.SeriesFile.write", full)
    for _ in range(3):
        clock.now_s += 1
        source.tick()
    telemetry = found.finish().telemetry
    assert telemetry.reason == "telemetry.jsonl ends early: No space left on device"
    assert (telemetry.sha256, telemetry.samples) == (None, 6)


def test_a_folder_that_can_not_be_written_to(tmp_path: Path) -> None:
    clock = Clock()
    source, found = recorder(tmp_path / "nowhere", clock)
    found.begin(ProcessTree(os.getpid()))
    source.tick()
    telemetry = found.finish().telemetry
    assert telemetry.path == ""
    assert telemetry.reason == "telemetry.jsonl can't be written: No such file or directory"
    assert telemetry.samples == 3
