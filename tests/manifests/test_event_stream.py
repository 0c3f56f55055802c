"""A runner's output: the same events however the bytes arrive."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests import event
from manifests.event_stream import LONGEST_LINE, EventStream

PHASE = b'{"event":"phase","time_s":1.0,"name":"train"}\n'
STEP = b'{"event":"step","time_s":2.5,"step":3,"of":10,"loss":0.25}\n'
DONE = b'{"event":"done","time_s":3.0,"status":"ok"}\n'
STRAY = b"Downloading 42%\n"
BROKEN = b'{"event":"phase","time_s":"\xff\xfe"}\n'
OVERLONG = b"x" * (LONGEST_LINE + 1) + b"\n"
EVENTS = [
    event.Phase(time_s=1.0, name="train"),
    event.Step(time_s=2.5, step=3, of=10, loss=0.25),
    event.Done(time_s=3.0, status="ok"),
]


def read(chunks: list[bytes]) -> tuple[list[event.Event], int, bytes]:
    """The events, the number of strays, and the lines of the events."""
    stream = EventStream()
    found = [received for chunk in chunks for received in stream.feed(chunk)]
    lines = b"".join(received.line + b"\n" for received in found)
    return [received.event for received in found], stream.strays, lines


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def test_events_are_given_back_and_kept() -> None:
    assert read([PHASE + STEP + DONE]) == (EVENTS, 0, PHASE + STEP + DONE)


@given(st.lists(st.integers(0, 10_000), max_size=12))
def test_any_split_of_the_bytes_gives_the_same_events(places: list[int]) -> None:
    data = PHASE + STRAY + STEP + BROKEN + DONE
    assert read(cut(data, places)) == (EVENTS, 2, PHASE + STEP + DONE)


@given(st.lists(st.integers(0, 3 * LONGEST_LINE), max_size=6))
def test_an_overlong_line_is_one_stray_however_it_arrives(places: list[int]) -> None:
    valid_but_overlong = b'{"event":"phase","time_s":1.0,"name":"' + b"x" * LONGEST_LINE + b'"}\n'
    data = PHASE + valid_but_overlong + STEP + OVERLONG + DONE
    assert read(cut(data, places)) == (EVENTS, 2, PHASE + STEP + DONE)


@given(st.binary(max_size=300), st.integers(1, 50))
def test_any_bytes_at_all_are_survived(data: bytes, size: int) -> None:
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    found, _, _ = read([*chunks, b"\n", PHASE])
    assert found[-1] == EVENTS[0]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"null",
        b"[]",
        b'{"event":"phase"}',
        b'{"event":"unheard-of","time_s":1}',
        b"\xff" * 40,
        b"[" * 60_000,
        b'{"event":"phase","time_s":NaN,"name":"a"}',
    ],
)
def test_what_is_not_an_event_is_counted_and_not_kept(line: bytes) -> None:
    assert read([line + b"\n" + DONE]) == ([EVENTS[2]], 1, DONE)


def test_a_last_line_without_its_end_is_no_event() -> None:
    assert read([PHASE, DONE[:-1]]) == ([EVENTS[0]], 0, PHASE)
