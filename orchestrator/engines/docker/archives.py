"""Tar archives on their way into and out of containers; what comes out is not trusted."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from manifests.errors import MachineError
from manifests.files import write_atomically

_MOST_BYTES = 64 * 2**30
_MOST_MANIFEST_BYTES = 256 * 2**20
_MOST_FILES = 100_000
_END = 2 * tarfile.BLOCKSIZE
_LAST = "manifest.json"
_OURS = ("order.json", "stderr.txt", "cell.json", "context.json", "stop.json")
_RESERVED = frozenset([_LAST, *_OURS])
# Names that contradict each other (a file in a file) or that no file can have.
_IMPOSSIBLE = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EINVAL)


def digest(folder: Path) -> str:
    """A hash of a data pack or of published weights: meta.json holds the hashes of the content."""
    return hashlib.sha256((folder / "meta.json").read_bytes()).hexdigest()


@contextmanager
def packed(folder: Path, name: str, owner: tuple[int, int]) -> Iterator[IO[bytes]]:
    """An archive of the files of ``folder`` under ``name``, which gets ``owner`` as well.

    The daemon sets no owner on ".", so the folder has to have a name.
    """

    def owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid, entry.gid = owner
        entry.mode |= 0o444 if entry.isfile() else 0o555
        return entry

    with tempfile.TemporaryFile() as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            archive.add(folder, arcname=name, filter=owned)
        file.seek(0)
        yield file


def one_file(name: str, data: bytes) -> bytes:
    """An archive that holds one readable file."""
    file = io.BytesIO()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(entry, io.BytesIO(data))
    return file.getvalue()


def unpack_results(chunks: Iterable[bytes], folder: Path) -> None:
    """Write a cell's results into ``folder``: plain files and folders only, the manifest last.

    Names that lead out of the folder and links are left out, and so are the files that are
    the orchestrator's own. Raises MachineError for an archive that is broken or too large.
    """
    with tempfile.TemporaryFile(dir=folder) as spool:
        _spool(chunks, spool)
        try:
            manifest = _unpack(spool, folder)
        except (tarfile.TarError, EOFError, ValueError) as error:
            raise MachineError(f"the container's results can't be read: {error}") from error
        except OSError as error:
            if error.errno in _IMPOSSIBLE:
                raise MachineError(f"the container's results can't be kept: {error}") from error
            raise
    if manifest is not None:
        write_atomically(folder / _LAST, manifest)


def _spool(chunks: Iterable[bytes], spool: IO[bytes]) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        _limit(size, _MOST_BYTES)
        spool.write(chunk)
    spool.seek(0)


def _unpack(spool: IO[bytes], folder: Path) -> bytes | None:
    """Everything but the manifest, which is given back."""
    manifest: bytes | None = None
    size = 0
    # "r:" takes no compressed archive: it could hold any amount.
    with tarfile.open(fileobj=spool, mode="r:") as archive:
        for count, entry in enumerate(archive):
            if count >= _MOST_FILES:
                raise MachineError(f"the container left more than {_MOST_FILES:,} files")
            size += entry.size
            _limit(size, _MOST_BYTES)
            content = archive.extractfile(entry) if entry.isfile() else None
            name = _inside(entry.name)
            if name == _LAST and content is not None:
                _limit(entry.size, _MOST_MANIFEST_BYTES)
                manifest = content.read()
            elif name and name.split(os.sep)[0] not in _RESERVED:
                _write(folder / name, entry, content)
        _check_end(spool, archive.offset)
    return manifest


def _check_end(spool: IO[bytes], end: int) -> None:
    """An archive ends with two blocks of zeros; tarfile also stops where it understands nothing."""
    spool.seek(end)
    if spool.read(_END) != bytes(_END):
        raise tarfile.ReadError("the archive is cut off or damaged")


def _limit(size: int, most: int) -> None:
    if size > most:
        raise MachineError(f"the container left more than {most >> 20:,} MiB")


def _inside(name: str) -> str:
    """The path under the cell's folder, without the archive's own top folder; "" for none."""
    parts = Path(name).parts[1:]
    safe = not name.startswith("/") and ".." not in parts and "\0" not in name
    return os.path.join(*parts) if parts and safe else ""


def _write(path: Path, entry: tarfile.TarInfo, content: IO[bytes] | None) -> None:
    if entry.isdir():
        path.mkdir(parents=True, exist_ok=True)
    elif content is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "wb") as file:
            shutil.copyfileobj(content, file, 1 << 20)
