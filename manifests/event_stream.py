"""Reading a runner's standard output: bounded lines, decoded to events."""

from __future__ import annotations

from typing import Iterator, NamedTuple

import msgspec

from manifests import event
from manifests.credentials import redacted_bytes

LONGEST_LINE = 64 * 1024


class Received(NamedTuple):
    """An event and its line, without the newline."""

    event: event.Event
    line: bytes


class EventStream:
    """Splits chunks into lines and gives back the events; credentials in them are hidden.

    What is not an event (a framework that writes past the redirection) is counted, not kept.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self.strays = 0

    def feed(self, chunk: bytes) -> Iterator[Received]:
        """The events that the chunk completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif len(line) > LONGEST_LINE:
                self.strays += 1
            else:
                yield from self._decoded(line)
        if len(self._rest) > LONGEST_LINE:
            self.strays += not self._skipping
            self._rest, self._skipping = b"", True

    def _decoded(self, line: bytes) -> Iterator[Received]:
        line = redacted_bytes(line) or line
        try:
            yield Received(event.decode(line), line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.strays += 1
