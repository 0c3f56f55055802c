"""Controlling a run from another thread: pause it, cancel it, kill it, whenever it is."""

from __future__ import annotations

import threading
from typing import Protocol

from orchestrator.messages import CellStarted, Listener, RunMessage


class Controllable(Protocol):
    """What runs cells; its methods may be called from other threads."""

    def pause(self) -> None:
        """Start no further cell."""

    def cancel(self, reason: str) -> None:
        """Start no further cell and have the running ones end."""

    def kill(self) -> None:
        """End the running cells now."""


class RunControl:
    """Controls one run. What was asked for before there is an executor reaches it later.

    Before the first cell there is only work that sends messages (data, environments); a run that
    is cancelled or paused then ends with KeyboardInterrupt at its next word.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._executor: Controllable | None = None
        self._cells = False
        self._reason = ""
        self.paused = False

    @property
    def cancelled(self) -> bool:
        return bool(self._reason)

    def pause(self) -> None:
        """Start no further cell; those that run go on to their end."""
        with self._lock:
            self.paused = True
            if self._executor is not None:
                self._executor.pause()

    def cancel(self, reason: str) -> None:
        """Have the running cells end as cancelled; a resumed run takes them up again."""
        with self._lock:
            self.paused, self._reason = True, reason
            if self._executor is not None:
                self._executor.cancel(reason)

    def kill(self) -> None:
        """End the running cells now, without waiting for them to clean up."""
        with self._lock:
            if self._executor is not None:
                self._executor.kill()

    def take(self, executor: Controllable) -> None:
        """There is an executor now; it hears of what was asked for before."""
        with self._lock:
            self._executor = executor
            if self._reason:
                executor.cancel(self._reason)
            elif self.paused:
                executor.pause()

    def heard(self, tell: Listener) -> Listener:
        """``tell``, which also ends work that is asked to stop before its first cell."""

        def hear(message: RunMessage) -> None:
            tell(message)
            self._cells = self._cells or isinstance(message, CellStarted)
            if self.paused and not self._cells:
                raise KeyboardInterrupt

        return hear
