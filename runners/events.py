"""Sending events at a bounded rate, so that a fast loop never floods its reader."""

from __future__ import annotations

import os
import time
from typing import Optional

from manifests import event
from runners.failures import printable

STEP_INTERVAL_S = 0.5


class Emitter:
    """Writes events to a file descriptor; steps at most every ``STEP_INTERVAL_S`` seconds.

    A reader that went away does not end the cell: its manifest is worth more.
    """

    def __init__(self, descriptor: Optional[int]) -> None:
        self._descriptor = descriptor
        self._started = time.monotonic()
        self._last_step = -STEP_INTERVAL_S

    @property
    def elapsed_s(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def phase(self, name: str) -> None:
        self._send(event.Phase(time_s=self.elapsed_s, name=name))

    def epoch(self, epoch: int, of: int, loss: Optional[float] = None) -> None:
        self._send(event.Epoch(time_s=self.elapsed_s, epoch=epoch, of=of, loss=loss))

    def step(
        self,
        step: int,
        of: Optional[int] = None,
        loss: Optional[float] = None,
        items_per_s: Optional[float] = None,
    ) -> None:
        """Dropped when the last one was sent less than ``STEP_INTERVAL_S`` ago."""
        now = self.elapsed_s
        if now - self._last_step >= STEP_INTERVAL_S:
            self._last_step = now
            self._send(event.Step(time_s=now, step=step, of=of, loss=loss, items_per_s=items_per_s))

    def warning(self, text: str) -> None:
        self._send(event.Warning(time_s=self.elapsed_s, text=printable(text)))

    def done(self, status: str, reason: str) -> None:
        self._send(event.Done(time_s=self.elapsed_s, status=status, reason=printable(reason)))

    def _send(self, message: event.Event) -> None:
        if self._descriptor is None:
            return
        data = event.encode(message)
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            self._descriptor = None
