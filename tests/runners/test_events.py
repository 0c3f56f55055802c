"""Events leave one line each, steps at a bounded rate, and never end the cell."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manifests import event
from runners import events
from runners.events import Emitter


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.now = 50.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    fake = Clock()
    monkeypatch.setattr(events, "time", fake)
    return fake


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def test_each_event_is_one_line_with_its_time(tmp_path: Path, clock: Clock) -> None:
    emitter = Emitter(_open(tmp_path / "events.jsonl"))
    emitter.phase("import")
    clock.now = 51.25
    emitter.epoch(1, 2, 0.5)
    emitter.warning("slow\ndisk")
    emitter.done("ok", "")
    assert (tmp_path / "events.jsonl").read_bytes().splitlines() == [
        b'{"event":"phase","time_s":0.0,"name":"import"}',
        b'{"event":"epoch","time_s":1.25,"epoch":1,"of":2,"loss":0.5}',
        b'{"event":"warning","time_s":1.25,"text":"slow\\ndisk"}',
        b'{"event":"done","time_s":1.25,"status":"ok"}',
    ]


def test_steps_come_twice_a_second_at_most(tmp_path: Path, clock: Clock) -> None:
    emitter = Emitter(_open(tmp_path / "events.jsonl"))
    for step in range(1000):
        clock.now = 50.0 + step / 256
        emitter.step(step, 1000)
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    decoded = [event.decode(line) for line in lines]
    assert [one.step for one in decoded if isinstance(one, event.Step)] == [
        0, 128, 256, 384, 512, 640, 768, 896,
    ]  # fmt: skip


def test_other_events_are_never_dropped(tmp_path: Path, clock: Clock) -> None:
    emitter = Emitter(_open(tmp_path / "events.jsonl"))
    for index in range(20):
        emitter.step(index)
        emitter.phase(f"phase {index}")
    assert len((tmp_path / "events.jsonl").read_bytes().splitlines()) == 21


def test_a_reader_that_went_away_does_not_end_the_cell(clock: Clock) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    emitter = Emitter(writer)
    emitter.phase("import")
    emitter.phase("build")
    emitter.done("ok", "")
    os.close(writer)


def test_without_a_reader_nothing_is_sent() -> None:
    Emitter(None).done("ok", "")


def test_a_line_that_is_written_in_parts_arrives_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    Emitter(_open(tmp_path / "events.jsonl")).phase("measure")
    line = (tmp_path / "events.jsonl").read_bytes()
    assert line == b'{"event":"phase","time_s":0.0,"name":"measure"}\n'
