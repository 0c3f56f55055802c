"""A limit on what this process may have of memory, to ask what fits on a smaller device.

The kernel counts private writable memory, touched or not, and refuses what goes beyond the limit as
a device's allocator does (RLIMIT_DATA of getrlimit(2), since Linux 4.7). Code of libraries, mapped
files and shared memory don't count. A limit tells something only where nothing else ends the
process first, so that is looked at before.
"""

from __future__ import annotations

import contextlib
import mmap
from pathlib import Path
from typing import Iterator, NamedTuple, Optional

from machine import cgroup, processors

try:
    import resource
except ImportError:  # only Unix has it
    resource = None  # type: ignore[assignment]

_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


class Refusal(NamedTuple):
    """Why a limit would not be what it is meant to be; ``passing`` where that may be over soon."""

    reason: str
    passing: bool = False


def in_words(count: int) -> str:
    """``8 GiB``, ``500 MiB``, ``1.5 GiB``: as few digits as say it."""
    unit, size = next((u for u in _UNITS if count >= u[1]), ("bytes", 1))
    return f"{count / size:.4g} {unit}"


def refusal(limit_bytes: int, root: Path = processors.ROOT) -> Optional[Refusal]:
    """Why this process can't be given exactly that much of this machine; None where it can."""
    limit, used = in_words(limit_bytes), private_bytes(root)
    if resource is None or used is None:
        return Refusal(f"a limit of memory ({limit}) needs Linux, whose kernel keeps it")
    lower = _lower_limit(limit_bytes)
    if lower:
        return Refusal(f"memory was to be limited to {limit}, and {lower}")
    if used >= limit_bytes:
        return Refusal(f"memory was to be limited to {limit}; {in_words(used)} are in use already")
    return _of_machine(limit_bytes, used, root)


def _lower_limit(limit_bytes: int) -> str:
    """What this process was started with, in words; empty where that leaves as much."""
    for name in ("RLIMIT_DATA", "RLIMIT_AS"):
        soft, _ = resource.getrlimit(getattr(resource, name))
        if soft != resource.RLIM_INFINITY and soft < limit_bytes:
            return f"the process was started with less: {name} is {in_words(soft)}"
    return ""


def _of_machine(limit_bytes: int, used: int, root: Path) -> Optional[Refusal]:
    """Where the machine has less, it is not the limit that memory runs out at."""
    limit, memory = in_words(limit_bytes), processors.memory(root)
    whole = min(memory.total, cgroup.memory_limit_bytes() or memory.total)
    if whole < limit_bytes:
        return Refusal(f"memory was to be limited to {limit}; all there is here is less: "
                       f"{in_words(whole)}")  # fmt: skip
    free = min(memory.available, whole - (cgroup.memory_in_use_bytes() or 0))
    if free < limit_bytes - used:
        return Refusal(f"memory was to be limited to {limit}, of which {in_words(free)} are free "
                       "now: end what else runs", passing=True)  # fmt: skip
    if not _can_have(limit_bytes - used):
        return Refusal(f"memory was to be limited to {limit}, and this process can't have as much "
                       "(vm.overcommit_memory, or a limit of address space)")  # fmt: skip
    return None


def private_bytes(root: Path = processors.ROOT) -> Optional[int]:
    """What the limit counts of this process now; None where no kernel tells."""
    try:
        lines = (root / "proc/self/status").read_text(errors="replace").splitlines()
    except OSError:
        return None
    found = (line.split()[1] for line in lines if line.startswith("VmData:"))
    return next((int(text) * 1024 for text in found), None)


def _can_have(count: int) -> bool:
    """Whether so much can be mapped; nothing of it is touched."""
    try:
        mmap.mmap(-1, count, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        return False
    return True


@contextlib.contextmanager
def keeping(limit_bytes: int) -> Iterator[bool]:
    """Inside, the kernel refuses what goes beyond; False where this kernel doesn't.

    At the end the limit is what it was, so that what has run out of memory can still be told.
    """
    earlier = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, earlier[1]))
    try:
        yield not _can_have(limit_bytes)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, earlier)
