"""Reading a runner's standard output: bounded lines, kept on disk, decoded to events."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from manifests import event
from manifests.credentials import redacted_bytes

LONGEST_LINE = 64 * 1024
MOST_BYTES = 64 * 2**20


class EventReader:
    """Splits chunks into lines, writes them to ``events.jsonl``, gives back the events.

    What is not an event (a framework that writes past the redirection) is counted, not kept, and
    credentials in events are hidden.
    """

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO = open(path, "ab", opener=_plain_file)
        self._written = 0
        self._rest = b""
        self._skipping = False
        self.strays = 0

    def feed(self, chunk: bytes) -> Iterator[event.Event]:
        """Raises OSError when the events can't be written."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(line) > LONGEST_LINE:
                self.strays += 1
            else:
                yield from self._take(line)
        if len(self._rest) > LONGEST_LINE:
            self.strays += not self._skipping
            self._rest, self._skipping = b"", True

    def close(self) -> None:
        self._file.close()

    def _take(self, line: bytes) -> Iterator[event.Event]:
        line = redacted_bytes(line) or line
        try:
            decoded = event.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.strays += 1
            return
        if self._written + len(line) < MOST_BYTES:
            self._file.write(line + b"\n")
            self._file.flush()
            self._written += len(line) + 1
        yield decoded


def _plain_file(path: str, flags: int) -> int:
    """Opened where the cell may write as well: no link is followed, no pipe is waited for."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644)
