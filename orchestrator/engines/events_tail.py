"""What a cell says, read from its events' file: for one whose output somebody else holds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

EVENTS = "events.jsonl"
_CHUNK = 65536
_LOOK_S = 0.2


class EventsTail:
    """Bytes of the file in a cell's folder, from its first; ``ended`` says when no more come."""

    def __init__(self, folder: Path, ended: Callable[[], bool]) -> None:
        self._path = folder / EVENTS
        self._ended = ended
        self._offset = 0

    def read(self, timeout_s: float) -> bytes | None:
        """b"" when there were none in time, None at the end.

        The end is looked for before the file, so that a cell's last words are not missed.
        """
        give_up = time.monotonic() + timeout_s
        while True:
            ended = self._ended()
            chunk = self._more()
            if chunk or ended:
                return chunk or None
            left_s = give_up - time.monotonic()
            if left_s <= 0:
                return b""
            time.sleep(min(_LOOK_S, left_s))

    def _more(self) -> bytes:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            return b""
        try:
            chunk = os.pread(descriptor, _CHUNK, self._offset)
        finally:
            os.close(descriptor)
        self._offset += len(chunk)
        return chunk
