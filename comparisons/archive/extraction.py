"""Unpacking an archive from a stranger: everything is bounded, nothing is written outside.

The limits are far above what ``bundle`` writes and far below what harms a small machine.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MAX_ENTRIES = 60_000
MAX_DIRECTORY_BYTES = 8 * 2**20
MAX_FILE_BYTES = 16 * 2**20
MAX_ARTIFACT_BYTES = 2 * 2**30
MAX_TOTAL_BYTES = 8 * 2**30
RATIO, RATIO_FROM_BYTES = 100, 64 * 2**20
"""From so many bytes on, an archive that grows more than a hundredfold is a bomb."""
MAX_VALUES = 3_000_000
"""Numbers in all manifests of an archive; each takes some 32 bytes of memory."""
MAX_NAME, MAX_DEPTH = 200, 6
ARTIFACTS = "artifacts/"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*")
_END, _END_64, _LOCATOR_64, _ENTRY = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07", b"PK\x01\x02"
_CHUNK = 256 * 1024
_BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError,
    NotImplementedError, OverflowError, UnicodeError, KeyError, IndexError,
)  # fmt: skip


class RefusedError(ValueError):
    """An archive that is not opened further; one line says why."""


def unpack(archive: Path, folder: Path) -> list[str]:
    """Write all files of ``archive`` below the empty ``folder``; their names, sorted.

    Raises RefusedError for anything that ``bundle`` would not have written, OSError for a disk
    that is full or a file that isn't there.
    """
    try:
        # Without blocking: something in the file's place may be a pipe.
        descriptor = os.open(archive, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise RefusedError("is not a file")
        with os.fdopen(descriptor, "rb") as file:
            return _unpack(file, folder)
    except RefusedError:
        raise
    except _BROKEN as error:
        raise RefusedError(f"is not a whole ZIP archive: {error}") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise RefusedError("is not a whole ZIP archive: it points outside itself") from error


def _unpack(file: IO[bytes], folder: Path) -> list[str]:
    _check_directory(file)
    with zipfile.ZipFile(file) as archive:
        entries = archive.infolist()
        _check_entries(entries)
        size = os.fstat(file.fileno()).st_size
        written = 0
        for entry in entries:
            with archive.open(entry) as source:
                for chunk in _write(source, entry, folder):
                    written += chunk
                    _check_total(written, size)
    return sorted(entry.filename for entry in entries)


def _check_directory(file: IO[bytes]) -> None:
    """Before zipfile reads the whole list of entries into memory."""
    file.seek(0, os.SEEK_END)
    total = file.tell()
    file.seek(max(0, total - 65_557))
    tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise RefusedError("is not a ZIP archive; give a file that repliquant bundle wrote")
    count, size, offset = struct.unpack("<HLL", tail[at + 10 : at + 20])
    if tail[max(0, at - 20) : at].startswith(_LOCATOR_64):
        (position,) = struct.unpack("<Q", tail[at - 12 : at - 4])
        count, size, offset = _end_64(file, position, total)
    if count > MAX_ENTRIES or size > MAX_DIRECTORY_BYTES:
        raise RefusedError(f"lists {count:,} files in {size:,} bytes; {MAX_ENTRIES:,} are allowed")
    start = min(offset, total)
    file.seek(max(0, total - MAX_DIRECTORY_BYTES) if start + size > total else start)
    if file.read(MAX_DIRECTORY_BYTES).count(_ENTRY) > MAX_ENTRIES:
        raise RefusedError(f"lists more files than it says; {MAX_ENTRIES:,} are allowed")
    file.seek(0)


def _end_64(file: IO[bytes], position: int, total: int) -> tuple[int, int, int]:
    if position > total - 56:
        raise RefusedError("is not a whole ZIP archive: its end points outside")
    file.seek(position)
    end = file.read(56)
    if not end.startswith(_END_64):
        raise RefusedError("is not a whole ZIP archive: its end is broken")
    count, size, offset = struct.unpack("<QQQ", end[32:56])
    return count, size, offset


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    folders: set[str] = set()
    for entry in entries:
        _check_entry(entry)
        name = entry.filename.casefold()
        if name in seen:
            raise RefusedError(f"names the file {entry.filename[:80]!r} twice")
        seen.add(name)
        parts = name.split("/")
        folders.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    both = sorted(seen & folders)
    if both:
        raise RefusedError(f"has {both[0][:80]!r} as a file and as a folder")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    shown = repr(name[:80])
    if not allowed_name(name):
        raise RefusedError(f"has a file called {shown}; names are relative, short and plain")
    if entry.orig_filename != name:
        raise RefusedError(f"has a file called {entry.orig_filename[:80]!r}; names are plain")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise RefusedError(f"has {shown}, which is a link, a device or a folder, and no file")
    if entry.flag_bits & 0x1:
        raise RefusedError(f"has {shown} encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise RefusedError(f"has {shown} compressed in a way that is not allowed")
    if entry.file_size > _allowed(name):
        raise RefusedError(
            f"has {shown} of {entry.file_size:,} bytes; {_allowed(name):,} are allowed"
        )


def allowed_name(name: str) -> bool:
    """Whether an archive may hold a file of this name."""
    return (
        len(name) <= MAX_NAME and name.count("/") < MAX_DEPTH and _NAME.fullmatch(name) is not None
    )


def _allowed(name: str) -> int:
    return MAX_ARTIFACT_BYTES if name.startswith(ARTIFACTS) else MAX_FILE_BYTES


def _write(source: IO[bytes], entry: zipfile.ZipInfo, folder: Path) -> Iterator[int]:
    """Sizes of what was written, chunk by chunk; what the list of entries says is not believed."""
    path = folder / entry.filename
    path.parent.mkdir(parents=True, exist_ok=True)
    left = _allowed(entry.filename)
    with open(path, "xb") as target:
        while chunk := source.read(_CHUNK):
            left -= len(chunk)
            if left < 0:
                raise RefusedError(f"has {entry.filename[:80]!r}, larger than it says")
            target.write(chunk)
            yield len(chunk)


def _check_total(written: int, size: int) -> None:
    if written > MAX_TOTAL_BYTES:
        raise RefusedError(f"unpacks to more than {MAX_TOTAL_BYTES:,} bytes")
    if written > RATIO_FROM_BYTES and written > RATIO * size:
        raise RefusedError(f"unpacks to more than {RATIO} times its size")
