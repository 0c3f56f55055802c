"""Samples of this machine for the screen; reading them is the orchestrator's work."""

from __future__ import annotations

from collections.abc import Callable

from tui.views.machine import Trace

RESTING_S = 1.0
"""How often while a cell is timed and nobody looks; the cell's own launcher samples as ever."""


class Sampling:
    """Hears the host's samples as long as the screen is there.

    Runs that are started from the screen record with the same sampler, so that the machine is
    read once.
    """

    def __init__(self, trace: Trace) -> None:
        from machine.sampler import Sampler

        self.sampler = Sampler()
        self._usual_s = self.sampler.interval_s
        self._trace = trace
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        """May take a second: the driver is asked what there is."""
        self._leave = self.sampler.subscribe(self._trace.add)
        self.sampler.start()
        self._trace.opening = self.sampler.opening

    def rest(self, resting: bool) -> None:
        """Sample rarely, or as usual again."""
        self.sampler.interval_s = RESTING_S if resting else self._usual_s

    def leave(self) -> None:
        """Hear no more; a run that goes on is still recorded."""
        if self._leave is not None:
            self._leave()

    def stop(self) -> None:
        """Read no more, for anybody."""
        self.leave()
        self.sampler.stop()
