"""A recorded run, played: the same messages in the same order, at any speed, forth and back."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from manifests.codec import encode_manifest
from manifests.errors import InputError
from manifests.run_folder import Run
from manifests.series_reader import read_series
from orchestrator.messages import CellEnded, CellStarted, LogLine, RunStarted
from services.run_state import RunState
from tests.conftest import ROOT
from tests.tui.conftest import RECORDED, RUN
from tui.recording import read_recording
from tui.replay import Replay
from tui.run_queue import Received


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def run() -> Run:
    return Run(RECORDED / RUN)


def course_of(received: list[Received]) -> RunState:
    state = RunState()
    for message, at_s in received:
        state.take(message, at_s)
    return state


def test_a_recording_has_every_cell_once_and_in_order(run: Run) -> None:
    recording = read_recording(run)
    messages = [moment.message for moment in recording.moments]
    assert isinstance(messages[0], RunStarted)
    started = [item.planned.id for item in messages if isinstance(item, CellStarted)]
    ended = [item.planned.id for item in messages if isinstance(item, CellEnded)]
    assert started == ended == [planned.id for planned in messages[0].todo]
    times = [moment.at_s for moment in recording.moments]
    assert times == sorted(times)
    walls = sum(manifest.wall_s for manifest in run.load().manifests)
    assert recording.length_s >= walls


@pytest.mark.parametrize("speed", [1.0, 7.0, 100.0])
def test_the_speed_changes_the_pace_and_not_the_news(run: Run, speed: float) -> None:
    clock = Clock()
    recording = read_recording(run)
    replay = Replay(recording, speed, clock)
    received: list[Received] = []
    while not replay.ended:
        received += replay.due()
        clock.now += 0.25
    assert [item.message for item in received] == [moment.message for moment in recording.moments]
    assert clock.now == pytest.approx(recording.length_s / speed, abs=0.6)
    assert course_of(received).ended == len(recording.cells)


def test_a_held_replay_stands_and_seeking_goes_both_ways(run: Run) -> None:
    clock = Clock()
    replay = Replay(read_recording(run), 10.0, clock)
    replay.hold()
    clock.now = 100.0
    replay.due()
    assert replay.now_s == 0.0
    forth = course_of(replay.seek(replay.recording.length_s))
    back = course_of(replay.seek(1.0))
    assert (forth.ended, back.ended) == (len(replay.recording.cells), 0)
    assert len(back.running) == 1


def test_log_and_samples_come_with_their_cell(run: Run) -> None:
    clock = Clock()
    replay = Replay(read_recording(run), 1.0, clock)
    cell = next(iter(replay.recording.cells))
    assert replay.show(cell)
    assert not replay.show(cell)
    played = replay.recording.cells[cell]
    replay.seek(played.begin_s + 2.0)
    replay.show(cell)
    early = replay.samples()
    assert early and all(cell in sample.cells or not sample.cells for sample in early)
    replay._position_s = played.end_s
    assert len(replay.samples()) > len(early)
    lines = replay.log_lines()
    text = (run.cell_folder(cell) / "log.txt").read_text()
    assert lines == text.splitlines()


def test_a_long_pause_between_cells_is_passed_over_and_told(tmp_path: Path, run: Run) -> None:
    shutil.copytree(run.folder, tmp_path / "run")
    copy = Run(tmp_path / "run")
    before = read_recording(copy)
    last = list(before.cells)[-1]
    manifest = copy.manifest(last)
    assert manifest is not None
    later = msgspec.structs.replace(manifest, started_at="2031-01-01T00:00:00+00:00")
    copy.manifest_path(last).write_bytes(encode_manifest(later))
    after = read_recording(copy)
    assert after.length_s < before.length_s + 60
    notes = [m.message.text for m in after.moments if isinstance(m.message, LogLine)]
    assert len(notes) == 1
    assert "is passed over" in notes[0]


def test_a_run_without_a_finished_cell_cannot_be_played(tmp_path: Path, run: Run) -> None:
    shutil.copytree(run.folder, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "cells")
    with pytest.raises(InputError, match="nothing to play"):
        read_recording(Run(tmp_path / "run"))


def test_the_recording_that_ships_is_real_whole_and_small() -> None:
    demo = Run(ROOT / "tui" / "demo" / "lad2023-quick-digits")
    files = [path for path in demo.folder.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 1_000_000
    for path in demo.folder.rglob("telemetry.jsonl"):
        assert not read_series(path).made_up
    statuses = Counter(manifest.status for manifest in demo.load().manifests)
    assert statuses == {"ok": 38, "unsupported": 1}
    assert 900 < read_recording(demo).length_s < 1200  # a minute at the demo's speed
