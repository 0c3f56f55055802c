"""SHA-256 of files, remembered: a file is read again only where its size, times or inode differ.

What decides is the content. A file system's times can be set, and copied; the time of the last
change (ctime) can't, and an inode tells a replaced file from the one before it.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from manifests.cell import sha256_hex
from manifests.files import write_atomically

# Two changes within one tick of a clock look alike, so what has just changed isn't remembered.
_SETTLED_NS = 2_000_000_000


class _Seen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A file as it was when it was read."""

    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    device: int
    sha256: str


class Contents:
    """The hashes of the files that belong to ``about``; without a ``cache`` nothing is kept."""

    def __init__(self, cache: Path | None, about: str) -> None:
        name = sha256_hex(about.encode(errors="surrogateescape"))[:16]
        self._file = cache / "contents" / f"{name}.msgpack" if cache else None
        self._seen = self._remembered()
        self._changed = False

    def sha256(self, path: Path) -> str:
        """Of the file's content. Raises OSError."""
        known = self.known(path)
        if known is not None:
            return known
        began_ns = time.time_ns()
        with open(path, "rb") as file:
            before = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if max(before.st_ctime_ns, before.st_mtime_ns) < began_ns - _SETTLED_NS:
            self._seen[_key(path)] = _seen(before, digest)
            self._changed = True
        return digest

    def known(self, path: Path) -> str | None:
        """The same without reading the file: None where it may have changed. Raises OSError."""
        seen = self._seen.get(_key(path))
        if seen is None or _seen(os.stat(path), seen.sha256) != seen:
            return None
        return seen.sha256

    def keep(self) -> None:
        """Remember for the next time. It only saves time, so a full disk is nobody's concern."""
        if self._file is None or not self._changed:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, msgspec.msgpack.encode(self._seen))
            self._changed = False
        except OSError:
            pass

    def _remembered(self) -> dict[str, _Seen]:
        if self._file is None:
            return {}
        try:
            return msgspec.msgpack.decode(self._file.read_bytes(), type=dict[str, _Seen])
        except (OSError, msgspec.MsgspecError):
            return {}


def file_sha256(path: Path, cache: Path | None) -> str:
    """The hash of one file that is a whole of its own. Raises OSError."""
    memory = Contents(cache, str(path))
    digest = memory.sha256(path)
    memory.keep()
    return digest


def hashes(
    paths: list[Path], memory: Contents, tell: Callable[[int], None] = lambda done: None
) -> list[str]:
    """Of each file, in order; ``tell`` hears how many are done. Raises OSError."""
    found = []
    for index, path in enumerate(paths):
        if index % 500 == 0:
            tell(index)
        found.append(memory.sha256(path))
    memory.keep()
    return found


def _seen(status: os.stat_result, sha256: str) -> _Seen:
    return _Seen(
        status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev, sha256
    )


def _key(path: Path) -> str:
    """Names need not be text."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
