"""Writing files so that a reader sees the old content or the new, never a part of it.

Some file systems lack what makes that durable: a folder can't be synced on many network and FUSE
mounts, permissions can't be set on CIFS. Their answer is a warning, once, and the work goes on.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator, Set

LACKING = frozenset(
    [
        errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.ENOTTY, errno.EPERM,
        errno.EACCES, errno.ENOLCK,
    ]
)  # fmt: skip
"""What a file system answers to a call that it does not have, on a file that is open already."""


def _print(text: str) -> None:
    sys.stderr.write(f"warning: {text}\n")


_warned: Set[str] = set()
_warn: Callable[[str], None] = _print


@contextlib.contextmanager
def warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Have warnings told to ``tell``, each once, instead of printed."""
    global _warn
    before, _warn = _warn, tell
    try:
        yield
    finally:
        _warn = before


def warn_once(text: str) -> None:
    """Once in the life of this process."""
    if text not in _warned:
        _warned.add(text)
        _warn(text)


@contextlib.contextmanager
def where_possible(what: str) -> Iterator[None]:
    """Do without what the file system does not have; ``what`` is the sentence that says so."""
    try:
        yield
    except OSError as error:
        if error.errno not in LACKING:
            raise
        warn_once(f"{what} ({error.strerror})")


def write_atomically(path: Path, data: bytes) -> None:
    """Replace ``path`` with ``data``: temporary file, fsync, rename, fsync of the folder.

    Raises OSError; the target is untouched then and the temporary file is gone.
    """
    handle, temporary = tempfile.mkstemp(dir=str(path.parent), prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            sync_file(file.fileno())
            set_mode(file.fileno(), 0o644)  # by its name it could be another file by now
        os.replace(temporary, str(path))
    except BaseException:
        _remove_quietly(temporary)
        raise
    sync_folder(path.parent)


def as_text(name: str) -> str:
    """A name from outside as text: bytes that are no UTF-8 are spelled out, ``\\xff``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def sync_file(descriptor: int) -> None:
    """Make what was written to a file durable, where that can be done."""
    with where_possible("files can't be made durable here: a power cut may lose what is new"):
        os.fsync(descriptor)


def set_mode(descriptor: int, mode: int) -> None:
    """The permissions of an open file, where they can be set."""
    with where_possible("permissions of files can't be set here: others may be unable to read"):
        os.fchmod(descriptor, mode)


def sync_folder(folder: Path) -> None:
    """Make the names inside ``folder`` durable, where that can be done."""
    with where_possible("folders can't be made durable here: a power cut may lose a new file"):
        descriptor = os.open(str(folder), os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove_quietly(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        pass
