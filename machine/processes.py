"""Processes as Linux lists them in /proc; what has ended, or was never there, is left out.

Source: the kernel's filesystems/proc.rst (/proc/PID/stat).
"""

from __future__ import annotations

import os
from typing import Dict, List, NamedTuple, Optional

PROC = "/proc"
TICK_S = 1.0 / os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 0.01
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Process(NamedTuple):
    """One process now. ``started`` tells it from another that got its number later."""

    pid: int
    state: str
    parent: int
    group: int
    cpu_s: float
    started: int
    resident_bytes: int
    name: str = ""

    @property
    def stopped(self) -> bool:
        """Whether a signal stopped it; one that is traced is not stopped."""
        return self.state == "T"

    @property
    def ended(self) -> bool:
        """Whether only its exit status is left."""
        return self.state in ("Z", "X")


def process(pid: int, proc: str = PROC) -> Optional[Process]:
    """The process of that number, or None."""
    try:
        with open(f"{proc}/{pid}/stat", errors="replace") as file:
            # The name in parentheses may hold anything; the state is what follows it.
            name, _, rest = file.read().rpartition(")")
        fields = rest.split()
        return Process(
            pid, fields[0], int(fields[1]), int(fields[2]),
            (int(fields[11]) + int(fields[12])) * TICK_S, int(fields[19]),
            int(fields[21]) * _PAGE_BYTES, name.partition("(")[2],
        )  # fmt: skip
    except (OSError, ValueError, IndexError):
        return None


def processes(proc: str = PROC) -> List[Process]:
    """Everything that runs where this process can look."""
    try:
        numbers = [int(name) for name in os.listdir(proc) if name.isdigit()]
    except OSError:
        return []
    found = (process(number, proc) for number in numbers)
    return [one for one in found if one is not None]


def tree(pid: int, proc: str = PROC) -> List[Process]:
    """A process and everything below it; empty when it has ended."""
    children: Dict[int, List[Process]] = {}
    for one in processes(proc):
        children.setdefault(one.parent, []).append(one)
    root = process(pid, proc)
    found = [root] if root is not None else []
    for one in found:
        found += children.get(one.pid, [])
    return found
