"""Locks for file systems that have none: a file that is made by one process only.

The kernel does not release them, so each says who made it, and one whose maker lives no more is
taken away. That can be told on the machine, and in the process namespace, where it was made.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests.msgspec_threads import looked_at

SUFFIX = ".held"
_WRITTEN_WITHIN_S = 10.0


class Holder(msgspec.Struct, frozen=True):
    """Who made it. ``began`` tells a process from a later one of the same number, ``where`` this
    machine, since it was started, and this process namespace from others.
    """

    pid: int
    host: str
    began: str
    where: str


class Held(NamedTuple):
    """A lock of another process that lives, as far as can be told; in words."""

    words: str


def held_file(path: Path) -> Path:
    """The file that stands for the lock ``path``."""
    return path.with_name(path.name + SUFFIX)


def take(path: Path) -> Held | None:
    """Make the file of the lock ``path``; None when that was done. Raises OSError."""
    held = held_file(path)
    while True:
        try:
            descriptor = os.open(held, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            found = holder(path)
            if found is not None:
                return found
            _remove_dead(path)
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(_myself()))
        return None


def release(path: Path) -> None:
    """Remove the file that ``take`` made."""
    with contextlib.suppress(OSError):
        held_file(path).unlink()


def holder(path: Path) -> Held | None:
    """Who holds the lock ``path`` by such a file; None when nobody does who lives."""
    held = held_file(path)
    try:
        data = held.read_bytes()
        written = held.stat().st_mtime
    except FileNotFoundError:
        return None
    try:
        found = msgspec.json.decode(data, type=looked_at(Holder))
    except msgspec.MsgspecError:  # being written, or its maker was killed meanwhile
        young = abs(time.time() - written) < _WRITTEN_WITHIN_S
        return Held("another process") if young else None
    words = f"process {found.pid} on {found.host}"
    if found.where != _here():
        return Held(f"{words} (if that runs no more, remove {held})")
    return Held(words) if _began(found.pid) == found.began else None


def _remove_dead(path: Path) -> None:
    """One process at a time, so that none takes away what another has just made anew."""
    breaking = path.with_name(path.name + SUFFIX + ".breaking")
    try:
        os.close(os.open(breaking, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
    except FileExistsError:
        _wait_for(breaking)
        return
    try:
        if holder(path) is None:
            held_file(path).unlink(missing_ok=True)
    finally:
        breaking.unlink(missing_ok=True)


def _wait_for(breaking: Path) -> None:
    """A moment; who has left it behind for longer was killed meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        if abs(time.time() - breaking.stat().st_mtime) > _WRITTEN_WITHIN_S:
            breaking.unlink()
    time.sleep(0.05)


def _myself() -> Holder:
    return Holder(os.getpid(), os.uname().nodename, _began(os.getpid()), _here())


def _began(pid: int) -> str:
    """When a process was started, in the kernel's ticks; empty when it lives no more.

    Where there is no /proc, that it lives is all that can be told.
    """
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return "" if os.path.isdir("/proc/self") or not _lives(pid) else "alive"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _here() -> str:
    """This machine since it was started, and this namespace of process numbers."""
    parts = [os.uname().nodename]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)
