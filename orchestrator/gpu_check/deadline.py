"""The time that ``gpu-check`` may take: everything, packing the results included."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from orchestrator.messages import CellStarted, Listener, LogLine, RunMessage

PACKING_S = 30.0
_REASON = "the check's time is up; the same command goes on from here"


class Cells(Protocol):
    """What starts and ends cells."""

    def cancel(self, reason: str) -> None:
        """Start no further cell and end the running one as cancelled."""


class Deadline:
    """Passes messages on; when the time is up, ends the running cell and lets no other start.

    The last seconds are for a cell's end and for packing. The time runs from ``begin`` on, or
    from the first cell's start: making an image may take longer than all cells.
    """

    def __init__(self, limit_s: float, tell: Listener) -> None:
        self._limit_s = limit_s
        self._tell = tell
        self._ends_at: float | None = None
        self._timer: threading.Timer | None = None
        self._cells: Cells | None = None

    def begin(self, started: float | None = None) -> None:
        """``started``: when, by time.monotonic(), if that is over."""
        begun = time.monotonic() if started is None else started
        self._ends_at = begun + self._limit_s - min(PACKING_S, self._limit_s / 4)

    def left_s(self) -> float:
        """Seconds that cells and questions still have."""
        return self._limit_s if self._ends_at is None else self._ends_at - time.monotonic()

    def hold(self, cells: Cells) -> None:
        """From now on ``cells`` are ended when the time is up."""
        self._cells = cells
        if self._ends_at is not None:
            self._set()

    def close(self) -> None:
        """End no cell any more."""
        if self._timer is not None:
            self._timer.cancel()

    def __call__(self, message: RunMessage) -> None:
        if isinstance(message, CellStarted) and self._ends_at is None:
            self.begin()
            self._set()
        self._tell(message)

    def _set(self) -> None:
        self._timer = threading.Timer(max(0.0, self.left_s()), self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self._tell(LogLine("the time is up: the running cell is ended", "important"))
        if self._cells is not None:
            self._cells.cancel(_REASON)
