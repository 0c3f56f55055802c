"""What a container prints: standard output for us, standard error into a file."""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

_HEADER = struct.Struct(">BxxxL")
_STDOUT = 1
_CHUNK = 256 * 1024
_ASK_AFTER_S = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
_MOST_ERROR_BYTES = 16 * 2**20


class Readable(Protocol):
    """The two methods of sockets and their like that are used here."""

    def recv(self, size: int) -> bytes: ...

    def close(self) -> None: ...


class Connection:
    """The socket in docker-py's answer to ``attach_socket``.

    It waits without a limit, but not for a machine that is gone: the kernel asks after it.
    """

    def __init__(self, attached: Any) -> None:
        self._attached = attached
        self._socket: socket.socket = getattr(attached, "_sock", attached)
        self._socket.settimeout(None)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _ASK_AFTER_S.items():
            if self._socket.family != socket.AF_UNIX and hasattr(socket, option):
                self._socket.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def recv(self, size: int) -> bytes:
        return self._socket.recv(size)

    def send(self, data: bytes) -> None:
        """To its standard input."""
        self._socket.sendall(data)

    def end_input(self) -> None:
        """There is no more of it; what it prints is still read."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._attached.close()
        self._socket.close()


def frames(source: Readable) -> Iterator[tuple[int, bytes]]:
    """(stream, bytes) of an attached container, until the end or until it breaks off.

    A frame comes in as many parts as it arrives in, so that its size costs no memory. The
    format: Docker Engine API, "Attach to a container", stream format.
    """
    pending = bytearray()
    stream = left = 0
    while chunk := _received(source):
        pending += chunk
        while pending and (left or len(pending) >= _HEADER.size):
            if not left:
                stream, left = _HEADER.unpack_from(pending)
                del pending[: _HEADER.size]
            part = bytes(pending[:left])
            del pending[: len(part)]
            left -= len(part)
            if part:
                yield stream, part


def _received(source: Readable) -> bytes:
    try:
        return source.recv(_CHUNK)
    except (OSError, ValueError):
        return b""  # the daemon went away, or the socket was closed to end this


class Output:
    """Takes frames on a thread of its own and hands standard output over in chunks.

    What waits to be read is bounded: 64 chunks, each of at most 256 KiB.
    """

    def __init__(self, source: Readable, error_file: Path, ended: Callable[[], None]) -> None:
        """``ended`` is called at the end of the stream, before ``read`` tells of it."""
        self._source = source
        self._errors = open(error_file, "wb", buffering=0)
        self._error_bytes = 0
        self._ended = ended
        self._chunks: queue.Queue[bytes | None] = queue.Queue(64)
        self._over = False

    def pump(self) -> None:
        """The thread's work: everything to its place until the end."""
        try:
            for stream, data in frames(self._source):
                if stream == _STDOUT:
                    self._chunks.put(data)
                else:
                    self._keep(data)
        finally:
            try:
                self._ended()
            finally:
                self.close()
                self._chunks.put(None)

    def close(self) -> None:
        """Close the file; where ``pump`` runs, it does."""
        with contextlib.suppress(OSError):
            self._errors.close()

    def read(self, timeout_s: float) -> bytes | None:
        """Bytes that came: b"" when there were none in time, None at the end."""
        if self._over:
            return None
        try:
            chunk = self._chunks.get(timeout=timeout_s)
        except queue.Empty:
            return b""
        self._over = chunk is None
        return chunk

    def _keep(self, data: bytes) -> None:
        room = _MOST_ERROR_BYTES - self._error_bytes
        if room > 0:
            try:
                self._error_bytes += self._errors.write(data[:room])
            except OSError:
                self._error_bytes = _MOST_ERROR_BYTES  # a full disk shows elsewhere
