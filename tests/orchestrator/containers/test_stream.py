"""What a container prints: every byte to its place, in bounded memory, until the end."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import tracemalloc
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engines.docker import stream
from orchestrator.engines.docker.stream import Output, frames

LONG_S = 120.0
STDOUT, STDERR = 1, 2
FRAMES = st.lists(st.tuples(st.sampled_from([0, STDOUT, STDERR]), st.binary(max_size=300)))


def frame(channel: int, data: bytes) -> bytes:
    return struct.pack(">BxxxL", channel, len(data)) + data


class Source:
    """Gives the chunks; then the end, or an error."""

    def __init__(self, chunks: Iterable[bytes], error: Exception | None = None) -> None:
        self.chunks = iter(chunks)
        self.error = error

    def recv(self, size: int) -> bytes:
        chunk = next(self.chunks, b"")
        if not chunk and self.error is not None:
            raise self.error
        assert len(chunk) <= size
        return chunk

    def close(self) -> None:
        pass


def cut(data: bytes, places: Iterable[int]) -> Iterator[bytes]:
    ends = sorted({place % (len(data) + 1) for place in places} | {0, len(data)})
    return (data[a:b] for a, b in itertools.pairwise(ends))


def joined(parts: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Neighbours of one channel put together."""
    groups = itertools.groupby(parts, key=lambda part: part[0])
    return [(channel, b"".join(data for _, data in group)) for channel, group in groups]


@given(sent=FRAMES, places=st.lists(st.integers(0, 5000)))
def test_however_the_stream_is_cut_it_is_the_same(
    sent: list[tuple[int, bytes]], places: list[int]
) -> None:
    data = b"".join(frame(channel, content) for channel, content in sent)
    received = list(frames(Source(cut(data, places))))
    assert joined(received) == joined((c, d) for c, d in sent if d)
    assert all(content for _, content in received)


@given(sent=FRAMES.filter(bool), end=st.integers(0, 3000), broken=st.booleans())
def test_of_a_stream_that_breaks_off_what_came_is_kept(
    sent: list[tuple[int, bytes]], end: int, broken: bool
) -> None:
    data = b"".join(frame(channel, content) for channel, content in sent)
    whole = b"".join(content for _, content in sent)
    source = Source(cut(data[:end], [end // 2]), ConnectionResetError(104, "gone"))
    if not broken:
        source.error = None
    received = b"".join(content for _, content in frames(source))
    assert whole.startswith(received)
    headers = 8 * len(sent)
    assert len(received) >= min(len(data), end) - headers


@pytest.mark.parametrize(
    "error", [OSError(9, "Bad file descriptor"), ValueError("closed file"), TimeoutError()]
)
def test_a_socket_that_is_closed_meanwhile_is_an_end(error: Exception) -> None:
    assert list(frames(Source([frame(STDOUT, b"a")], error))) == [(STDOUT, b"a")]


def test_a_huge_frame_is_passed_on_in_parts() -> None:
    """Nobody has to wait for its end, or to hold it."""
    megabyte = bytes(2**20)
    total = 300

    def chunks() -> Iterator[bytes]:
        yield struct.pack(">BxxxL", STDOUT, total * len(megabyte))
        for _ in range(total * 4):
            yield megabyte[: 2**18]
        yield frame(STDERR, b"next")

    tracemalloc.start()
    received = 0
    for channel, content in frames(Source(chunks())):
        if channel == STDERR:
            assert content == b"next"
        else:
            received += len(content)
            assert len(content) <= 2**18
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert received == total * len(megabyte)
    assert most < 8 * 2**20


class Pumping:
    """An Output with its thread, over a socket that the test writes to."""

    def __init__(self, error_file: Path) -> None:
        self.ours, theirs = socket.socketpair()
        self.ended = threading.Event()
        self.output = Output(theirs, error_file, self.ended.set)
        self.thread = threading.Thread(target=self.output.pump, daemon=True)
        self.thread.start()
        self.theirs = theirs

    def close(self) -> None:
        self.ours.close()
        while self.output.read(LONG_S) is not None:
            pass
        self.thread.join(LONG_S)
        self.theirs.close()
        assert not self.thread.is_alive()


@pytest.fixture
def pumping(tmp_path: Path) -> Iterator[Pumping]:
    made = Pumping(tmp_path / "stderr.txt")
    yield made
    made.close()


def test_standard_output_is_read_and_standard_error_is_filed(
    pumping: Pumping, tmp_path: Path
) -> None:
    pumping.ours.sendall(frame(STDERR, b"a warning\n") + frame(STDOUT, b'{"event"'))
    assert pumping.output.read(LONG_S) == b'{"event"'
    pumping.ours.sendall(frame(STDOUT, b": 1}\n") + frame(STDERR, b"\x1b[2Janother\n"))
    assert pumping.output.read(LONG_S) == b": 1}\n"
    assert pumping.output.read(0.01) == b""
    pumping.ours.shutdown(socket.SHUT_WR)
    assert pumping.output.read(LONG_S) is None
    assert pumping.output.read(0.0) is None, "the end stays the end"
    assert (tmp_path / "stderr.txt").read_bytes() == b"a warning\n\x1b[2Janother\n"


def test_the_end_is_told_when_the_daemons_word_on_it_is_there(tmp_path: Path) -> None:
    word = threading.Event()
    ours, theirs = socket.socketpair()
    output = Output(theirs, tmp_path / "stderr.txt", lambda: word.wait(LONG_S) and None)
    thread = threading.Thread(target=output.pump)
    thread.start()
    ours.close()
    assert output.read(0.05) == b"", "the container has ended, and nobody knows how yet"
    word.set()
    assert output.read(LONG_S) is None
    thread.join(LONG_S)
    theirs.close()


def test_a_word_that_fails_does_not_keep_the_end_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)

    def fail() -> None:
        raise RuntimeError("the daemon says something odd")

    output = Output(Source([frame(STDOUT, b"a")]), tmp_path / "stderr.txt", fail)
    thread = threading.Thread(target=output.pump)
    thread.start()
    assert output.read(LONG_S) == b"a"
    assert output.read(LONG_S) is None
    thread.join(LONG_S)


def test_a_reader_that_is_slow_costs_bounded_memory(pumping: Pumping, tmp_path: Path) -> None:
    """The writer waits; nothing is lost and nothing is piled up."""
    block = frame(STDOUT, bytes(2**16))
    sent = threading.Event()

    def send() -> None:
        for _ in range(2048):  # 128 MiB
            pumping.ours.sendall(block)
        sent.set()
        pumping.ours.shutdown(socket.SHUT_WR)

    writer = threading.Thread(target=send)
    tracemalloc.start()
    writer.start()
    assert not sent.wait(1.0), "it was all taken, though nobody read"
    received = 0
    while (chunk := pumping.output.read(LONG_S)) is not None:
        received += len(chunk)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    writer.join(LONG_S)
    assert received == 2048 * 2**16
    assert most < 40 * 2**20


def test_standard_error_is_kept_up_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a runner prints goes to its log; this is for what a container says before."""
    monkeypatch.setattr(stream, "_MOST_ERROR_BYTES", 10_000)
    chunks = [frame(STDERR, b"e" * 999) for _ in range(50)] + [frame(STDOUT, b"out")]
    output = Output(Source(chunks), tmp_path / "stderr.txt", lambda: None)
    output.pump()
    assert output.read(0.1) == b"out"
    assert (tmp_path / "stderr.txt").read_bytes() == b"e" * 10_000


def test_a_full_disk_does_not_stop_what_is_read() -> None:
    chunks = [frame(STDERR, b"lost"), frame(STDOUT, b"kept"), frame(STDERR, b"lost")]
    output = Output(Source(chunks), Path("/dev/full"), lambda: None)
    output.pump()
    assert output.read(0.1) == b"kept"
    assert output.read(0.1) is None


def test_an_error_file_that_cannot_be_made_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Output(Source([]), tmp_path / "none" / "stderr.txt", lambda: None)
