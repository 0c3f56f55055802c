"""Tar archives on their way into and out of containers; what comes out is not trusted."""

from __future__ import annotations

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from manifests.files import write_atomically
from orchestrator.errors import MachineError

_MOST_BYTES = 64 * 2**30
_MOST_FILES = 100_000
_LAST = "manifest.json"
_OURS = frozenset(["events.jsonl", "stderr.txt", "cell.json", "context.json", "stop.json"])


def digest(folder: Path) -> str:
    """A hash of a data pack, which holds the hashes of its pixels in meta.json."""
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
    import io

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
    manifest: bytes | None = None
    with tempfile.TemporaryFile(dir=folder) as spool:
        _spool(chunks, spool)
        try:
            with tarfile.open(fileobj=spool) as archive:
                for count, entry in enumerate(archive):
                    if count > _MOST_FILES:
                        raise MachineError(f"the container left more than {_MOST_FILES} files")
                    content = archive.extractfile(entry) if entry.isfile() else None
                    name = _inside(entry.name)
                    if name == _LAST and content is not None:
                        manifest = content.read()
                    elif name and name not in _OURS:
                        _write(folder / name, entry, content)
        except (tarfile.TarError, EOFError) as error:
            raise MachineError(f"the container's results can't be read: {error}") from error
    if manifest is not None:
        write_atomically(folder / _LAST, manifest)


def _spool(chunks: Iterable[bytes], spool: IO[bytes]) -> None:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _MOST_BYTES:
            raise MachineError(f"the container left more than {_MOST_BYTES >> 30} GiB")
        spool.write(chunk)
    spool.seek(0)


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
            while block := content.read(1 << 20):
                file.write(block)
