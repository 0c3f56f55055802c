"""Who ends the process from outside gets the run cancelled, and the terminal if there is one.

A terminal that has gone takes no output: what writes to it may wait forever, and with it the
thread of the screen. So a thread of its own ends the run, and the process if nothing else does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from textual.driver import Driver

from tui.run_queue import RunQueue

HEEDED = (signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S = 3.0
_STATUS = 130


def suspend(driver: Driver | None) -> bool:
    """Stop this process and those that wait for it, as the terminal does for ctrl-z.

    The terminal is given back before anybody stops: the shell takes it as soon as its child has
    stopped, and nobody else may set it then. When they go on (``fg``), Textual's driver hears it
    and draws the screen again. False where there is no terminal to give back.
    """
    if driver is None or not driver.can_suspend:
        return False
    driver.suspend_application_mode()
    before = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    try:
        os.kill(0, signal.SIGTSTP)
    finally:
        signal.signal(signal.SIGTSTP, before)
    return True


class Signals:
    """Heeded from the first screen to the last."""

    def __init__(self, queue: RunQueue, leave: Callable[[], None]) -> None:
        self._queue = queue
        self._leave = leave
        self._before: dict[int, Any] = {}

    def heed(self, loop: asyncio.AbstractEventLoop) -> None:
        """Only the main thread may; elsewhere nothing happens."""

        def begin(signum: int, frame: object) -> None:
            threading.Thread(target=self._end, args=(loop,), daemon=True).start()

        for signum in HEEDED:
            with contextlib.suppress(ValueError):
                self._before[signum] = signal.signal(signum, begin)

    def forget(self) -> None:
        """Have the signals mean what they meant before."""
        for signum, before in self._before.items():
            with contextlib.suppress(ValueError):
                signal.signal(signum, before)
        self._before = {}

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        self._queue.cancel("the screen ended")
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(self._leave)
        self._queue.join()
        time.sleep(_PATIENCE_S)
        os._exit(_STATUS)
