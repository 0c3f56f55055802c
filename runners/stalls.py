"""Whether a cell stood still while nobody could look, frozen together with its sampler."""

from __future__ import annotations

import os
import time
from typing import Callable, FrozenSet, Optional, Union

import msgspec

from machine.cell_readers import CellReadings, ContainerGroup, ProcessTree

STALLED_S = 2.0
"""Who sleeps so much longer than he wanted was stopped, perhaps with everything around him."""

_EDGE_S = 0.25
"""Events so near a stall's ends may be from before or after it."""


class NoticesStalls:
    """A reader of a cell that also says that all of it stood still since the last reading.

    A container that is frozen takes its sampler along, so that nobody inside sees it happen. A
    sampler that was held up alone says nothing of its cell: one that got further meanwhile, by
    its events or by its processor time, was not stopped.
    """

    def __init__(
        self,
        reader: Union[ProcessTree, ContainerGroup],
        clock: Callable[[], float] = time.monotonic,
        cpus: Optional[int] = None,
    ) -> None:
        self.source = reader.source
        self._reader = reader
        self._clock = clock
        self._cpus = cpus or os.cpu_count() or 1
        self._read_at = clock()
        self._held_up_s = 0.0
        self._since_s = 0.0
        self._cell_began_s = float("inf")
        self._went_on = False

    def pids(self) -> FrozenSet[int]:
        return self._reader.pids()

    def held_up(self, wanted_s: float, now_s: float) -> None:
        """The sampler wanted to wake at the one time and woke at the other."""
        if now_s - wanted_s > STALLED_S:
            self._held_up_s += now_s - wanted_s
            self._since_s = wanted_s

    def heard(self, time_s: float, now_s: float) -> None:
        """An event of the cell's, by the cell's own clock; the quickest says when that began."""
        self._cell_began_s = min(self._cell_began_s, now_s - time_s)
        at_s = self._cell_began_s + time_s
        if self._held_up_s and self._since_s + _EDGE_S < at_s < now_s - _EDGE_S:
            self._went_on = True

    def read(self) -> CellReadings:
        """One sample, ``stopped`` when it stood still before it."""
        found, now_s = self._reader.read(), self._clock()
        held_up_s, went_on = self._held_up_s, self._went_on
        spent_s = now_s - self._read_at
        self._read_at, self._held_up_s, self._went_on = now_s, 0.0, False
        if not held_up_s or went_on or self._worked(found, spent_s, held_up_s):
            return found
        return found._replace(sample=msgspec.structs.replace(found.sample, stopped=True))

    def _worked(self, found: CellReadings, spent_s: float, held_up_s: float) -> bool:
        """Whether it used more processor time than all processors had in the rest of the time."""
        percent = found.sample.cpu_percent
        if percent is None:
            return False
        return percent / 100 * spent_s > max(0.0, spent_s - held_up_s) * self._cpus
