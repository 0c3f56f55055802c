"""What the kernel's control group says: how often it killed a process for lack of memory."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional

_ROOT = Path("/sys/fs/cgroup")


def oom_kills(root: Path = _ROOT, membership: Path = Path("/proc/self/cgroup")) -> Optional[int]:
    """Processes of this control group killed for lack of memory; None where it can't be read.

    Inside a container the group's own files lie at the root of the mount; outside, in the
    folder that /proc/self/cgroup names. Source: the kernel's cgroup-v2.rst (memory.events)
    and cgroup-v1/memory.rst (memory.oom_control).
    """
    for path in _candidates(root, membership):
        try:
            text = path.read_text()
        except OSError:
            continue
        for line in text.splitlines():
            name, _, value = line.partition(" ")
            if name == "oom_kill" and value.isdigit():
                return int(value)
    return None


def _candidates(root: Path, membership: Path) -> Iterator[Path]:
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        hierarchy, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if hierarchy == "0":
            yield root / group.lstrip("/") / "memory.events"
            yield root / "memory.events"
        elif "memory" in controllers.split(","):
            yield root / "memory" / group.lstrip("/") / "memory.oom_control"
            yield root / "memory" / "memory.oom_control"
