"""Ending with the orchestrator: when it dies, and when it asks."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Callable

from manifests.manifest import Status
from runners.failures import Stopped

STOP_FILE = "stop.json"
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Be killed by the kernel when the process ``parent`` ends (Linux; elsewhere no effect)."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call above
            os.kill(os.getpid(), signal.SIGKILL)


def stopper(folder: Path) -> Callable[[int, Any], None]:
    """A signal handler that ends the cell as FOLDER/stop.json says, ``cancelled`` without one."""

    def stop(signum: int, frame: Any) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped(*_asked(folder / STOP_FILE))

    return stop


def deafen() -> None:
    """Ignore SIGTERM from now on; outside the main thread, where no handler runs, nothing."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _asked(path: Path) -> tuple[Status, str]:
    try:
        asked = json.loads(path.read_text())
        return ("timeout" if asked["status"] == "timeout" else "cancelled"), str(asked["reason"])
    except (OSError, ValueError, KeyError, TypeError):
        return "cancelled", "the runner got SIGTERM"
