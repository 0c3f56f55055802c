"""Archives of class folders, read without unpacking: ``train/<class>/*`` inside a tar or zip."""

from __future__ import annotations

import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from manifests.cell import sha256_hex
from orchestrator.data import folders
from orchestrator.data.pack import Part, Progress, Source
from orchestrator.errors import InputError

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2")
LARGEST_PICTURE = 64 * 2**20
_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError,
    RuntimeError, ValueError,
)  # fmt: skip
_EXPECTED = "expected train/<class>/*.jpg and test/<class>/*.jpg (or validation/) inside"
_MEMBER = re.compile(
    rf"(?:.*/)?(train|{'|'.join(folders.TEST_NAMES)})/([^/]+)/([^/]+)$", re.IGNORECASE
)


class Member(NamedTuple):
    """A picture: the split it belongs to, its class, and its name in the archive."""

    split: str
    label: str
    name: str


def is_archive(path: Path) -> bool:
    """True for a file whose name ends like an archive's."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def name_of(path: Path) -> str:
    """The file's name without its endings."""
    suffix = next(end for end in sorted(SUFFIXES, key=len)[::-1] if path.name.lower().endswith(end))
    return path.name[: -len(suffix)]


def source(path: Path, name: str, origin: str = "") -> Source:
    """Check the layout inside ``path``. Raises InputError."""
    members = _members(path)
    classes = _classes(path, members)
    status = path.stat()
    return Source(
        name=name,
        origin=origin or f"archive of image folders, {path.name}",
        classes=classes,
        key=sha256_hex(f"archive-1/{path.name}/{status.st_size}/{status.st_mtime_ns}".encode()),
        load=lambda size, progress: _load(path, members, classes, size, progress),
    )


def counts(path: Path) -> dict[str, int]:
    """How many pictures each split has. Raises InputError."""
    members = _members(path)
    return {split: sum(m.split == split for m in members) for split in ("train", "test")}


def _members(path: Path) -> list[Member]:
    try:
        names = list(_names(path))
    except _BROKEN as error:
        raise InputError(f"{path} can't be read as an archive: {error}") from error
    found = []
    for name in names:
        match = _MEMBER.match(name)
        if match and name.lower().endswith(folders.SUFFIXES) and "__MACOSX" not in name:
            split = "train" if match[1].lower() == "train" else "test"
            found.append(Member(split, match[2], name))
    return sorted(found)


def _names(path: Path) -> Iterator[str]:
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            yield from (item.filename for item in archive.infolist() if not item.is_dir())
    else:
        with tarfile.open(path) as tar:
            yield from (item.name for item in tar if item.isfile())


def _classes(path: Path, members: list[Member]) -> list[str]:
    by_split = {
        split: sorted({m.label for m in members if m.split == split}) for split in ("train", "test")
    }
    if not by_split["train"] or not by_split["test"]:
        raise InputError(f"{path} holds {len(members)} pictures in such folders; {_EXPECTED}")
    if by_split["train"] != by_split["test"]:
        differing = sorted(set(by_split["train"]) ^ set(by_split["test"]))[:5]
        raise InputError(
            f"{path}: the splits have different classes ({', '.join(differing)}). "
            "Give both the same class folders"
        )
    folders.check_class_count(str(path), by_split["train"])
    return by_split["train"]


def _load(
    path: Path, members: list[Member], classes: list[str], size: int, progress: Progress
) -> dict[str, Part]:
    place = {member.name: member for member in members}
    pictures: dict[str, np.ndarray] = {}  # type: ignore[type-arg]
    try:
        for name, content in _contents(path, set(place)):
            pictures[name] = folders.decode(io.BytesIO(content), f"{path}: {name}", size)
            if len(pictures) % 500 == 0:
                progress("decoding images", len(pictures), len(members))
    except _BROKEN as error:
        raise InputError(f"{path} can't be read to its end: {error}") from error
    return {
        split: _part([m for m in members if m.split == split], pictures, classes)
        for split in ("train", "test")
    }


def _part(members: list[Member], pictures: dict[str, np.ndarray], classes: list[str]) -> Part:  # type: ignore[type-arg]
    import numpy as np

    labels = [classes.index(member.label) for member in members]
    return Part(np.stack([pictures[m.name] for m in members]), np.array(labels, np.uint8))


def _contents(path: Path, wanted: set[str]) -> Iterator[tuple[str, bytes]]:
    """Each wanted member once, in the archive's own order. Raises InputError for a giant."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                if item.filename in wanted:
                    _bounded(path, item.filename, item.file_size)
                    with archive.open(item) as file:
                        yield item.filename, file.read(LARGEST_PICTURE)
        return
    with tarfile.open(path) as tar:
        for member in tar:
            if member.name in wanted and member.isfile():
                _bounded(path, member.name, member.size)
                content = tar.extractfile(member)
                assert content is not None
                yield member.name, content.read()


def _bounded(path: Path, name: str, size: int) -> None:
    if size > LARGEST_PICTURE:
        raise InputError(f"{path}: {name} has {size:,} bytes; a picture may have 64 MiB")
