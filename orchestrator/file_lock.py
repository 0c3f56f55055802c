"""Locks that the kernel releases when their holder dies, so that none is ever left behind.

On a file system without such locks (some network and FUSE mounts) ``lock_file_fallback`` stands in.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from manifests.files import LACKING, warn_once
from orchestrator import lock_file_fallback

_LOOK_AGAIN_S = 0.3


class HeldError(Exception):
    """Another living process holds the lock; ``holder`` is what it wrote about itself."""

    def __init__(self, holder: str) -> None:
        super().__init__(holder)
        self.holder = holder


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold ``path``. Raises HeldError at once when another process does, OSError for the file."""
    with _open(path) as descriptor, _taken(path, descriptor):
        yield


@contextlib.contextmanager
def waiting(path: Path, on_wait: Callable[[str], None]) -> Iterator[int]:
    """Hold ``path``; when another process does, tell ``on_wait`` who, and wait for it.

    Gives the descriptor: a child process that inherits it holds the lock for as long as it
    lives, even when this process dies; not so where a file stands in for the lock.
    """
    told = False
    with _open(path) as descriptor, contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(_taken(path, descriptor))
                break
            except HeldError as held:
                if not told:
                    on_wait(held.holder)
                told = True
                time.sleep(_LOOK_AGAIN_S)
        yield descriptor


def lock_names(folder: Path) -> Iterator[Path]:
    """The locks in a folder, without the files that stand in for them."""
    return (path for path in folder.glob("*") if lock_file_fallback.SUFFIX not in path.suffixes)


@contextlib.contextmanager
def _taken(path: Path, descriptor: int) -> Iterator[None]:
    """The kernel's lock, else a file. Raises HeldError."""
    if _flock(path, descriptor):
        found = lock_file_fallback.holder(path)  # by who found no locks here
        if found is not None:
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            raise HeldError(found.words)
        _sign(descriptor)
        yield
        return
    found = lock_file_fallback.take(path)
    if found is not None:
        raise HeldError(found.words)
    try:
        _sign(descriptor)
        yield
    finally:
        lock_file_fallback.release(path)


def _flock(path: Path, descriptor: int) -> bool:
    """Whether the kernel has locks here, and gave us this one. Raises HeldError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HeldError(path.read_text(errors="replace").strip()[:200]) from None
    except OSError as error:
        if error.errno not in LACKING:
            raise
        warn_once(
            f"{path.parent} is on a file system without locks ({error.strerror}); files "
            f"*{lock_file_fallback.SUFFIX} stand in for them"
        )
        return False
    return True


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
