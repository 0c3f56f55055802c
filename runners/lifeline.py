"""Ending with the orchestrator: when it dies, and when it asks."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

from manifests.manifest import Status
from runners.failures import Stopped

STOP_FILE = "stop.json"
ASKING = (signal.SIGTERM, signal.SIGHUP)
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Be killed by the kernel when the process ``parent`` ends (Linux; elsewhere no effect)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call above
            os.kill(os.getpid(), signal.SIGKILL)


def heed(folder: Path) -> None:
    """End the cell when a signal asks for it; one that is ignored (nohup) stays so."""
    for number in ASKING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stopper(folder))


@contextlib.contextmanager
def held_back() -> Iterator[None]:
    """Whatever is started inside gets what asks it to end only once it listens (``listen``)."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ASKING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def listen() -> None:
    """Be asked to end from now on; what asked before is heard at once."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ASKING)


def stopper(folder: Path) -> Callable[[int, Any], None]:
    """A signal handler that ends the cell as FOLDER/stop.json says, ``cancelled`` without one."""

    def stop(signum: int, frame: Any) -> None:
        deafen()
        raise Stopped(*asked(folder / STOP_FILE, signal.Signals(signum).name))

    return stop


def deafen() -> None:
    """Ignore SIGTERM and SIGHUP from now on; outside the main thread, where no handler runs,
    nothing.
    """
    if threading.current_thread() is threading.main_thread():
        for number in ASKING:
            signal.signal(number, signal.SIG_IGN)


def asked(path: Path, name: str) -> tuple[Status, str]:
    """The status and reason that the file at ``path`` asks for; ``name`` is the signal's."""
    try:
        asked = json.loads(path.read_text())
        return ("timeout" if asked["status"] == "timeout" else "cancelled"), str(asked["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return "cancelled", f"the runner got {name}"
