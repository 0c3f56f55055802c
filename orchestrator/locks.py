"""Locks that the kernel releases when their holder dies, so that none is ever left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path


class HeldError(Exception):
    """Another living process holds the lock; ``holder`` is what it wrote about itself."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold ``path``. Raises HeldError at once when another process does, OSError for the file."""
    with _open(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HeldError(path.read_text(errors="replace").strip()[:200]) from None
        _sign(descriptor)
        yield


@contextlib.contextmanager
def waiting(path: Path, on_wait: Callable[[str], None]) -> Iterator[int]:
    """Hold ``path``; when another process does, tell ``on_wait`` who, and wait for it.

    Gives the descriptor: a child process that inherits it holds the lock for as long as it
    lives, even when this process dies.
    """
    with _open(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(path.read_text(errors="replace").strip()[:200])
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        _sign(descriptor)
        yield descriptor


@contextlib.contextmanager
def _open(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sign(descriptor: int) -> None:
    """Leave word of who holds the lock; a full disk must not keep it from being held."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {os.uname().nodename}\n".encode(), 0)
