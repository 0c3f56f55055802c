"""Standard output and standard error that outlast whoever reads them.

What a command finds out, and the status that it ends with, must not depend on whether somebody
still reads: behind ``| head``, or when the terminal has been closed, the rest is dropped.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import Any, TextIO

_READER_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ESHUTDOWN)


class UnwritableError(OSError):
    """Standard output goes where nothing can be written, such as a full disk."""

    def __str__(self) -> str:
        return f"standard output can't be written to: {self.strerror}"


class LastingStream(io.FileIO):
    """A descriptor whose writes succeed when there is nobody left to read them.

    Standard error takes every failure so: there is no place left to tell of it.
    """

    def __init__(self, descriptor: int, keeps_failures: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._keeps_failures = keeps_failures
        self._terminal = os.isatty(descriptor)
        self.reader_gone = False

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BlockingIOError:
            raise
        except OSError as error:
            self._fail(error)
            return len(data)

    def _fail(self, error: OSError) -> None:
        """A terminal that was closed answers EIO."""
        self.reader_gone = self.reader_gone or error.errno in _READER_GONE
        if self.reader_gone or (self._terminal and error.errno == errno.EIO):
            self.drop()
        elif self._keeps_failures:
            raise UnwritableError(*error.args) from error

    def drop(self) -> None:
        """Everything from now on, also what child processes write."""
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self.fileno())


def outlast_readers() -> None:
    """Put such streams into the place of ``sys.stdout`` and ``sys.stderr``."""
    sys.stdout = _lasting(sys.stdout, keeps_failures=True)
    sys.stderr = _lasting(sys.stderr, keeps_failures=False)


def reader_gone(stream: object) -> bool:
    """Whether the other end of a pipe has been closed, as far as writing has shown."""
    return bool(getattr(_raw(stream), "reader_gone", False))


def flush_output() -> None:
    """Raises UnwritableError for what can't be written; that is forgotten then."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        if isinstance(stream := _raw(sys.stdout), LastingStream):
            stream.drop()
        raise


def _lasting(stream: TextIO, keeps_failures: bool) -> TextIO:
    """As it is where it is closed, or no descriptor stands behind it."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    with contextlib.suppress(OSError, ValueError):
        stream.flush()
        raw = LastingStream(stream.fileno(), keeps_failures)
        return io.TextIOWrapper(
            io.BufferedWriter(raw), encoding=stream.encoding, errors=stream.errors,
            line_buffering=stream.line_buffering, write_through=stream.write_through,
        )  # fmt: skip
    return stream


def _raw(stream: object) -> object:
    return getattr(getattr(stream, "buffer", None), "raw", None)
