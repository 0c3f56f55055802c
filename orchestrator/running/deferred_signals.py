"""Signals that wait for a moment: their handlers raise, and not everything can be left halfway."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_ASKING_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def deferred() -> Iterator[None]:
    """Signals that ask to end are handled at the end of it, the first of them alone.

    A handler that raises while a thread is being started leaves the interpreter's locks broken.
    Handlers run on the main thread only, so there is nothing to do on others.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[tuple[int, FrameType | None]] = []
    before = {number: signal.getsignal(number) for number in _ASKING_TO_END}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        for number, handler in before.items():
            if callable(handler):
                signal.signal(number, handler)
    for came_in, frame in came[:1]:
        heard = before[signal.Signals(came_in)]
        if callable(heard):
            heard(came_in, frame)
