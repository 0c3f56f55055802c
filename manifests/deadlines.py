"""Calls that may never return: each has a deadline, and nobody waits for it any longer.

A call into a driver that hangs can't be ended. It is made on a thread of its own, which is left
behind when it doesn't answer in time and keeps no program from ending.
"""

from __future__ import annotations

import queue
import threading
from typing import Any, Callable, Optional, Tuple, TypeVar

T = TypeVar("T")
_Errand = Tuple[Callable[[], Any], "queue.SimpleQueue[Tuple[Any, Optional[Exception]]]"]


class NoAnswerError(Exception):
    """The call has not returned in time; it may still be going on."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")


class Patience:
    """Makes calls one after another on one thread, and on a new one after one that hung."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._inbox: Optional[queue.SimpleQueue[Optional[_Errand]]] = None

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """What ``function`` returns or raises. Raises NoAnswerError after so many seconds."""
        with self._turn:
            inbox = self._inbox or self._start()
            answer: queue.SimpleQueue[Tuple[Any, Optional[Exception]]] = queue.SimpleQueue()
            inbox.put((function, answer))
            try:
                value, error = answer.get(timeout=seconds)
            except queue.Empty:
                self._inbox = None
                inbox.put(None)  # should it come back, it has nothing more to do
                raise NoAnswerError(seconds) from None
        if error is not None:
            raise error
        found: T = value
        return found

    def close(self) -> None:
        """Let its thread end; a further call makes a new one."""
        inbox, self._inbox = self._inbox, None
        if inbox is not None:
            inbox.put(None)

    def _start(self) -> queue.SimpleQueue[Optional[_Errand]]:
        inbox: queue.SimpleQueue[Optional[_Errand]] = queue.SimpleQueue()
        self._inbox = inbox
        threading.Thread(target=_work, args=(inbox,), name="patience", daemon=True).start()
        return inbox


def _work(inbox: queue.SimpleQueue[Optional[_Errand]]) -> None:
    for function, answer in iter(inbox.get, None):
        try:
            answer.put((function(), None))
        except Exception as error:  # noqa: BLE001  whatever it is, it is the asker's
            answer.put((None, error))
