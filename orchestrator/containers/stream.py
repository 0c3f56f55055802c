"""What a container prints: standard output for us, standard error into a file."""

from __future__ import annotations

import io
import queue
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

_HEADER = struct.Struct(">BxxxL")
_STDOUT = 1
_CHUNK = 256 * 1024
_MOST_ERROR_BYTES = 16 * 2**20


class Readable(Protocol):
    """The two methods of sockets and their like that are used here."""

    def recv(self, size: int) -> bytes: ...

    def close(self) -> None: ...


class _Socket:
    """A socket inside docker-py's answer to ``attach_socket``, without a time limit."""

    def __init__(self, attached: Any) -> None:
        self._attached = attached
        self._socket = getattr(attached, "_sock", attached)
        self._socket.settimeout(None)

    def recv(self, size: int) -> bytes:
        return bytes(self._socket.recv(size))

    def close(self) -> None:
        self._attached.close()
        self._socket.close()


class _Pipes:
    """docker-py's connection through ssh: a process, whose pipes give what is there at once."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def recv(self, size: int) -> bytes:
        assert isinstance(self._process.stdout, io.BufferedReader)
        return self._process.stdout.read1(size)

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate()


def connection(attached: Any) -> Readable:
    """What to read from in docker-py's answer to ``attach_socket``; closing it closes all."""
    process = getattr(attached, "proc", None)
    return _Socket(attached) if process is None else _Pipes(process)


def frames(source: Readable) -> Iterator[tuple[int, bytes]]:
    """(stream, bytes) of an attached container, until the end or until it breaks off.

    The format: Docker Engine API, "Attach to a container", stream format.
    """
    pending = bytearray()
    while True:
        try:
            chunk = source.recv(_CHUNK)
        except (OSError, ValueError):
            return  # the daemon went away, or the socket was closed to end this
        if not chunk:
            return
        pending += chunk
        start = 0
        while len(pending) - start >= _HEADER.size:
            stream, size = _HEADER.unpack_from(pending, start)
            end = start + _HEADER.size + size
            if len(pending) < end:
                break
            yield stream, bytes(pending[start + _HEADER.size : end])
            start = end
        del pending[:start]


class Output:
    """Takes frames on a thread of its own and hands standard output over in chunks.

    What waits to be read is bounded: 64 chunks, each of at most one frame.
    """

    def __init__(self, source: Readable, error_file: Path, ended: Callable[[], None]) -> None:
        """``ended`` is called at the end of the stream, before ``read`` tells of it."""
        self._source = source
        self._errors = open(error_file, "wb")
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
                self._errors.flush()
            except OSError:
                self._error_bytes = _MOST_ERROR_BYTES  # a full disk shows elsewhere
