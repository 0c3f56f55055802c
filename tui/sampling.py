"""Samples of this machine for the screen; reading them is the orchestrator's work."""

from __future__ import annotations

from collections.abc import Callable

from tui.views.machine import Trace


class Sampling:
    """Hears the host's samples as long as the screen is there.

    Runs that are started from the screen record with the same sampler, so that the machine is
    read once.
    """

    def __init__(self, trace: Trace) -> None:
        from machine.sampler import Sampler

        self.sampler = Sampler()
        self._trace = trace
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        """May take a second: the driver is asked what there is."""
        self._leave = self.sampler.subscribe(self._trace.add)
        self.sampler.start()
        self._trace.opening = self.sampler.opening

    def leave(self) -> None:
        """Hear no more; a run that goes on is still recorded."""
        if self._leave is not None:
            self._leave()

    def stop(self) -> None:
        """Read no more, for anybody."""
        self.leave()
        self.sampler.stop()
