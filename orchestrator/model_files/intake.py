"""Taking a person's model file in: looked at, copied, and kept under its SHA-256.

A model file is untrusted: nothing in it is run or unpickled here, a framework opens it only inside
of a cell. What cells get is a copy that nobody changes while they run.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec

from manifests import paths
from manifests.cell import Cell
from manifests.errors import InputError, MachineError
from manifests.files import as_text, write_atomically
from manifests.pretrained import META, Pretrained
from orchestrator.model_files.entry import Entry, RefusedFileError
from orchestrator.model_files.onnx_header import read_onnx
from orchestrator.model_files.tflite_header import MAGIC, read_tflite

MOST_BYTES = 2 * 2**30
"""What a Protocol Buffer can hold, and a FlatBuffer."""
SUFFIXES = (".onnx", ".tflite")
KEY = "model_sha256"
"""The key of a recipe that names a model file."""
_CHUNK = 2**20
_BEGINNINGS = (
    (b"PK\x03\x04", "a zip archive, as PyTorch and Keras save models"),
    (b"\x80\x02", "a pickle"), (b"\x80\x03", "a pickle"), (b"\x80\x04", "a pickle"),
    (b"\x80\x05", "a pickle"), (b"\x89HDF", "an HDF5 file, as Keras saves models"),
    (b"\x1f\x8b", "compressed (gzip)"), (b"version https://git-lfs", "a Git LFS pointer"),
    (b"<", "a text (HTML or XML)"), (b"{", "a text (JSON)"), (b"#!", "a script"),
)  # fmt: skip


class ModelFile(NamedTuple):
    """A file that was taken in. ``name`` is what cells call it: ``resnet50-1a2b3c4d5e6f``."""

    name: str
    suffix: str
    sha256: str
    size_bytes: int
    entry: Entry


def take_in(path: Path) -> ModelFile:
    """Check a model file and keep a copy of it in the cache.

    Raises InputError with the reason in a line; MachineError where it can't be kept.
    """
    suffix = _suffix(path)
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        _check_beginning(path, file, suffix)
        with _stored(folder := paths.cache() / "model-files"):
            folder.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".taking-")
        try:
            with _stored(folder), os.fdopen(handle, "wb") as copy:
                sha256 = _copied(file, copy, size)
            entry = _entry(path, Path(name), suffix)
            with _stored(folder):
                _keep(Path(name), folder / sha256, path, suffix, sha256)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
    return ModelFile(f"{_stem(path)}-{sha256[:12]}", suffix, sha256, size, entry)


def wanted(cell: Cell) -> bool:
    """Whether the cell starts from a person's model file."""
    return bool(cell.recipe.get(KEY))


def folder_of(cell: Cell) -> Path:
    """The folder that such a cell gets: the file, and what is known of it."""
    return paths.cache() / "model-files" / str(cell.recipe[KEY])


def obstacle(cell: Cell) -> str:
    """Why such a cell can't have its file; empty where it can, and for other cells."""
    if not wanted(cell) or (folder_of(cell) / META).is_file():
        return ""
    return f"the model file {cell.model} is not in the cache: repliquant measure takes it in again"


def shown(path: Path) -> str:
    """A name on one line, whatever characters it has."""
    return _plain(as_text(str(path)))


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def refused(path: Path, why: str) -> InputError:
    """The refusal of a file in one line, whatever its name and its reason hold."""
    return InputError(f"{shown(path)} can't be measured: {_plain(why)}")


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise refused(path, f"its name ends in neither of {', '.join(SUFFIXES)}")
    return suffix


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    """A regular file; a pipe or a device is not even opened for long. Raises InputError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise refused(path, f"it can't be opened: {why}") from None
    try:
        _check_sort(path, os.fstat(descriptor))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def _check_sort(path: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, a socket or a device"
        raise refused(path, f"it is {kind}, not a file")
    if not found.st_size:
        raise refused(path, "it is empty")
    if found.st_size > MOST_BYTES:
        raise refused(
            path, f"it has {found.st_size / 2**30:.1f} GiB; {MOST_BYTES / 2**30:g} GiB is the most"
        )


def _check_beginning(path: Path, file: IO[bytes], suffix: str) -> None:
    begin = file.read(64)
    file.seek(0)
    if suffix == ".tflite" and begin[4:8] == MAGIC:
        return
    for mark, what in _BEGINNINGS:
        if begin.startswith(mark):
            raise refused(path, f"it is {what}, not {_kind(suffix)}")
    if suffix == ".onnx" and begin[4:8] == MAGIC:
        raise refused(path, "it is a TensorFlow Lite file. Give it the suffix .tflite")


def _kind(suffix: str) -> str:
    return "an ONNX model" if suffix == ".onnx" else "a TensorFlow Lite file"


def _copied(file: IO[bytes], copy: IO[bytes], size: int) -> str:
    """The SHA-256 of what was copied: no more than was there at first."""
    digest, left = hashlib.sha256(), size
    while left and (chunk := file.read(min(_CHUNK, left))):
        digest.update(chunk)
        copy.write(chunk)
        left -= len(chunk)
    return digest.hexdigest()


def _entry(path: Path, copy: Path, suffix: str) -> Entry:
    with open(copy, "rb") as file:
        try:
            whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise refused(path, "it is empty") from None
    try:
        found = _read(whole, read_onnx if suffix == ".onnx" else read_tflite)
    finally:
        with contextlib.suppress(BufferError):  # then it is closed with what looks at it
            whole.close()
    if isinstance(found, str):
        raise refused(path, found)
    return found


def _read(whole: mmap.mmap, read: Callable[[memoryview], Entry]) -> Entry | str:
    """The header, or why it is refused."""
    with memoryview(whole) as view:
        try:
            return read(view)
        except RefusedFileError as error:
            return str(error)


def _keep(copy: Path, folder: Path, path: Path, suffix: str, sha256: str) -> None:
    """Under its hash; one that is there already is replaced by the same bytes."""
    folder.mkdir(exist_ok=True)
    os.chmod(copy, 0o644)  # containers read it as another user
    os.chmod(folder, 0o755)
    name = f"model{suffix}"
    os.replace(copy, folder / name)
    meta = Pretrained(
        name=_stem(path), file=name, url="", sha256=sha256, checked="the file that was given"
    )
    write_atomically(folder / META, msgspec.json.encode(meta) + b"\n")


@contextlib.contextmanager
def _stored(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"the model can't be kept under {folder}: {error.strerror}. Free some space, or set "
            "REPLIQUANT_CACHE to another folder"
        ) from error


def _stem(path: Path) -> str:
    """What of a file's name can be part of a folder's."""
    plain = re.sub(r"[^A-Za-z0-9_.]+", "-", path.stem).strip("-._")
    return plain[:32].strip("-._").lower() or "model"
