"""A cell's process that an earlier orchestrator started: found again, and followed from disk."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from machine import processes
from manifests.files import write_atomically
from manifests.manifest import Status
from orchestrator.engines.base import Exit, Handle, Where
from orchestrator.engines.events_tail import EventsTail

VARIABLE = "REPLIQUANT_HANDLE"
"""In the environment of a launcher: the name of its handle."""

_MANIFEST = "manifest.json"
_LOOK_S = 0.2
_UNSEEN = "its launcher ended without a manifest, and nobody was there to see how"


def identity(pid: int) -> dict[str, str]:
    """By what a process is known for sure: its number, and when it was started."""
    found = processes.process(pid)
    return {"pid": str(pid), "started": str(found.started)} if found else {"pid": str(pid)}


def find(handle: Handle) -> processes.Process | None:
    """The launcher of a handle, while it runs; without a process in the handle, by its name."""
    known = handle.known
    if "started" in known:
        found = _running(int(known["pid"]))
        return found if found and str(found.started) == known["started"] else None
    named = [one for one in processes.processes() if _name_of(one.pid) == handle.name]
    # What it starts inherits the name: the launcher is the leader of them all.
    return next((one for one in named if one.group == one.pid and not one.ended), None)


def _running(pid: int) -> processes.Process | None:
    found = processes.process(pid)
    return None if found is None or found.ended else found


def _name_of(pid: int) -> str:
    try:
        with open(f"{processes.PROC}/{pid}/environ", "rb") as file:
            entries = file.read().split(b"\0")
    except OSError:
        return ""
    prefix = f"{VARIABLE}=".encode()
    return next((e[len(prefix) :].decode() for e in entries if e.startswith(prefix)), "")


class FoundProcess:
    """A running cell that is nobody's child here: what it says is read from its events' file."""

    def __init__(self, process: processes.Process, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._tail = EventsTail(folder, self.ended)

    def known(self) -> dict[str, str]:
        return identity(self._process.pid)

    def ended(self) -> bool:
        now = _running(self._process.pid)
        return now is None or now.started != self._process.started

    def where(self) -> Where:
        return Where(self._process.pid)

    def read(self, timeout_s: float) -> bytes | None:
        return self._tail.read(timeout_s)

    def ask_to_stop(self, status: Status, reason: str) -> None:
        message = json.dumps({"status": status, "reason": reason}).encode()
        try:
            write_atomically(self._folder / "stop.json", message)
        except OSError:
            pass  # without the file it stops as cancelled
        self._signal(signal.SIGTERM, group=False)

    def kill(self) -> None:
        self._signal(signal.SIGKILL, group=True)

    def wait(self) -> Exit:
        while not self.ended():
            time.sleep(_LOOK_S)
        sealed = (self._folder / _MANIFEST).exists()
        return Exit(code=0, lost="" if sealed else _UNSEEN)

    def _signal(self, number: signal.Signals, group: bool) -> None:
        """Never to another process that has got its number."""
        if self.ended():
            return
        try:
            (os.killpg if group else os.kill)(self._process.pid, number)
        except ProcessLookupError:
            pass
