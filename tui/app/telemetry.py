"""Samples of this machine for the screen; reading them is the orchestrator's work."""

from __future__ import annotations

from collections.abc import Callable

from tui.app.machine import Trace


class Sampling:
    """Hears the host's samples as long as the screen is there."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._leave: Callable[[], None] | None = None

    def start(self) -> None:
        """May take a moment: drivers are asked what they have."""

    def stop(self) -> None:
        if self._leave is not None:
            self._leave()
