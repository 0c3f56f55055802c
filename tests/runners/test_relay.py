"""What a cell says on its way to the disk and to pipes that nobody may read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runners import relay as relays
from runners.relay import Outlet, Relay

PHASE = b'{"event":"phase","time_s":1.0,"name":"train"}\n'


def test_events_beyond_the_bound_are_passed_on_but_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relays, "MOST_BYTES", 3 * len(PHASE))
    reader, writer = os.pipe()
    relay = Relay(tmp_path, [Outlet(writer)])
    relay.take(PHASE * 100)
    assert (tmp_path / "events.jsonl").read_bytes() == PHASE * 3
    assert os.read(reader, 2**16) == PHASE * 100
    os.close(reader)
    relay.close()
    os.close(writer)


def test_a_stray_line_is_counted_where_it_arrives_and_not_kept(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    relay = Relay(tmp_path, [Outlet(writer)])
    relay.take(b"Downloading 42%\n" + PHASE)
    assert (tmp_path / "events.jsonl").read_bytes() == PHASE
    assert os.read(reader, 2**16) == PHASE + b"\n"
    os.close(reader)
    relay.close()
    os.close(writer)


def test_a_pipe_that_nobody_empties_holds_nothing_up() -> None:
    reader, writer = os.pipe()
    outlet = Outlet(writer)
    sent = b"".join(b"%07d\n" % number for number in range(20_000))  # more than a pipe holds
    for line in sent.splitlines(keepends=True):
        outlet.send(line)
    assert outlet.waiting
    got = b""
    while len(got) < len(sent):
        got += os.read(reader, 2**16)
        outlet.flush()
    assert got == sent and not outlet.waiting
    os.close(reader)
    os.close(writer)


def test_a_pipe_is_given_up_when_too_much_waits_and_lines_stay_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relays, "_MOST_WAITING_BYTES", 100)
    reader, writer = os.pipe()
    outlet = Outlet(writer)
    for _ in range(20_000):
        outlet.send(b"1234567\n")
    got = os.read(reader, 2**20)
    outlet.flush()
    got += os.read(reader, 2**20)
    assert set(got.splitlines()) == {b"1234567"}
    os.close(reader)
    os.close(writer)


def test_a_reader_that_went_away_is_forgotten() -> None:
    reader, writer = os.pipe()
    outlet = Outlet(writer)
    os.close(reader)
    outlet.send(b"1\n")
    outlet.last()
    assert not outlet.waiting
    os.close(writer)
