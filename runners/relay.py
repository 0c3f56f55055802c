"""What a cell says, on its way: to ``events.jsonl``, to the sampler, and to who listens."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import List, Optional

from manifests.event_stream import EventStream

MOST_BYTES = 64 * 2**20
"""Of events on disk; what comes after is passed on all the same."""

_MOST_WAITING_BYTES = 2**20


class Outlet:
    """A pipe that never holds up its writer.

    What its reader has not fetched waits here, up to a limit; one that went away is forgotten.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor: Optional[int] = descriptor
        self._waiting = b""
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(kind) or stat.S_ISSOCK(kind):
            os.set_blocking(descriptor, False)

    def send(self, data: bytes) -> None:
        """Whole or not at all."""
        if len(self._waiting) + len(data) <= _MOST_WAITING_BYTES:
            self._waiting += data
        self.flush()

    def flush(self) -> None:
        """Write what its reader has room for."""
        if self._descriptor is None:
            return
        try:
            while self._waiting:
                self._waiting = self._waiting[os.write(self._descriptor, self._waiting) :]
        except BlockingIOError:
            pass
        except OSError:
            self._descriptor, self._waiting = None, b""

    def drop(self) -> None:
        """Write what there is room for, and nothing any more."""
        self.flush()
        self._descriptor, self._waiting = None, b""

    @property
    def waiting(self) -> bool:
        """Whether something is left for a reader that is there."""
        return bool(self._waiting) and self._descriptor is not None

    def last(self) -> None:
        """Write the rest, however long its reader takes."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.set_blocking(self._descriptor, True)
            self.flush()


class Relay:
    """Takes a cell's output as it comes; credentials in it are hidden before anybody has it.

    Lines that are no events go to none but the outlets, whose reader counts them.
    """

    def __init__(self, folder: Path, outlets: List[Outlet]) -> None:
        """Raises OSError when the events can't be kept."""
        # Opened where the cell may write as well: no link is followed, no pipe is waited for.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
        self._file = os.open(str(folder / "events.jsonl"), flags, 0o644)
        self._written = 0
        self._stream = EventStream()
        self.outlets = outlets

    def take(self, chunk: bytes) -> None:
        """Raises OSError when the events can't be kept; they have been passed on then."""
        strays = self._stream.strays
        lines = [received.line + b"\n" for received in self._stream.feed(chunk)]
        for outlet in self.outlets:
            for line in lines:
                outlet.send(line)
            outlet.send(b"\n" * (self._stream.strays - strays))  # counted where they arrive
        for line in lines:
            if self._written + len(line) <= MOST_BYTES:
                self._written += len(line)
                self._keep(line)

    def _keep(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._file, line) :]

    def close(self) -> None:
        """Of what waits for a reader nothing is lost."""
        os.close(self._file)
        for outlet in self.outlets:
            outlet.last()
