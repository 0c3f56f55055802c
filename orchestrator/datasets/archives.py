"""Archives of class folders, read without unpacking: ``train/<class>/*`` inside a tar or zip."""

from __future__ import annotations

import functools
import lzma
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from manifests.errors import InputError
from orchestrator.datasets import decoder
from orchestrator.datasets.contents import Contents
from orchestrator.datasets.layout import Entry, Listing, survey
from orchestrator.datasets.names import plain
from orchestrator.datasets.pack import Part, Progress, Source

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")
_MOST_LINKS = 40
_LINK_BYTES = 4096
TWICE = "earlier files of the same name"
UNSAFE = "names that lead out of the archive"
_BROKEN = (
    tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, OSError,
    RuntimeError, ValueError, NotImplementedError,
)  # fmt: skip


class Member(NamedTuple):
    """An entry of an archive. ``target``: what a link names, by its kind."""

    name: str
    kind: str
    target: str = ""


def is_archive(path: Path) -> bool:
    """True for a file whose name ends like an archive's."""
    return path.name.lower().endswith(SUFFIXES) and path.is_file()


def name_of(path: Path) -> str:
    """The file's name without its endings."""
    suffix = next(end for end in sorted(SUFFIXES, key=len)[::-1] if path.name.lower().endswith(end))
    return path.name[: -len(suffix)]


def source(path: Path, name: str, origin: str = "", cache: Path | None = None) -> Source:
    """Check the layout inside ``path``. ``cache``: where hashes are kept. Raises InputError."""
    listing = listed(path)
    return Source(
        name=name,
        origin=origin or f"archive of image folders, {path.name}",
        classes=listing.classes,
        key="pictures-2",
        load=lambda size, progress: _load(path, listing, size, progress),
        contents=lambda progress: _contents(path, cache, progress),
        counts=listing.counts,
        passed_over=listing.passed_over,
    )


def counts(path: Path) -> dict[str, int]:
    """How many pictures each split has. Raises InputError."""
    return listed(path).counts


def listed(path: Path) -> Listing:
    """The pictures inside; an archive that hasn't changed is gone through once a process."""
    return _listed(path, _stamp(path))


@functools.lru_cache(maxsize=8)
def _listed(path: Path, stamp: tuple[int, ...]) -> Listing:
    try:
        tree = _Members(path, list(_members(path)))
    except _BROKEN as error:
        raise InputError(f"{path} can't be read as an archive: {error}") from error
    listing = survey(tree)
    return listing._replace(passed_over={**listing.passed_over, **tree.passed_over})


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        status = os.stat(path)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from error
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def _contents(path: Path, cache: Path | None, progress: Progress | None) -> str | None:
    memory = Contents(cache, f"archive {os.path.realpath(path)}")
    try:
        if progress is None:
            return memory.known(path)
        progress(f"reading {path.name}", 0, 1)
        digest = memory.sha256(path)
    except OSError as error:
        raise InputError(f"{path} can't be read: {error.strerror}") from error
    memory.keep()
    return digest


def _members(path: Path) -> Iterator[Member]:
    """In the archive's order."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for item in archive.infolist():
                yield _zip_member(archive, item)
    else:
        with tarfile.open(path) as tar:
            yield from map(_tar_member, tar)


def _zip_member(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Member:
    # Written on Windows by programs that don't keep to the format.
    name = item.filename if "/" in item.filename else item.filename.replace("\\", "/")
    if name.endswith("/"):
        return Member(name, "folder")
    if stat.S_ISLNK(item.external_attr >> 16) and item.file_size <= _LINK_BYTES:
        return Member(name, "symlink", archive.read(item).decode("utf-8", "surrogateescape"))
    return Member(name, "file")


def _tar_member(item: tarfile.TarInfo) -> Member:
    if item.issym():
        return Member(item.name, "symlink", item.linkname)
    if item.islnk():
        return Member(item.name, "hardlink", item.linkname)
    return Member(item.name, "folder" if item.isdir() else "file" if item.isreg() else "special")


class _Members:
    """What unpacking would give, as the rules of layout see it. A file's ``real`` is its number
    in the archive, a folder's its path.
    """

    def __init__(self, path: Path, members: list[Member]) -> None:
        self.where = str(path)
        self.passed_over: dict[str, int] = {}
        self._folders: dict[str, dict[str, Entry]] = {"": {}}
        self._links: dict[str, str] = {}
        for number, member in enumerate(members):
            self._add(str(number), member)

    def root(self) -> str:
        return ""

    def entries(self, folder: str) -> list[Entry]:
        found = self._folders.get(folder, {})
        return sorted(self._followed(folder, entry) for entry in found.values())

    def _add(self, number: str, member: Member) -> None:
        path = _normal(member.name)
        if path is None:
            self._count(UNSAFE)
        elif member.kind == "folder":
            self._folder(path)
        elif path:
            self._file(number, path, member)

    def _file(self, number: str, path: str, member: Member) -> None:
        folder, _, name = path.rpartition("/")
        entry = Entry(name, "special" if member.kind == "special" else "file", number)
        if member.kind == "hardlink":
            entry = self._same_as(member.target, name)
        inside = self._folder(folder)
        if name in inside and inside[name].kind != "folder":
            self._count(TWICE)  # unpacking puts the later one in its place
        self._links.pop(path, None)
        if member.kind == "symlink":
            self._links[path] = member.target
        inside[name] = entry

    def _same_as(self, target: str, name: str) -> Entry:
        """A hard link is the file that had that name when it was packed."""
        folder, _, old = (_normal(target) or "").rpartition("/")
        found = self._folders.get(folder, {}).get(old)
        return found._replace(name=name) if found else Entry(name, "nowhere", "")

    def _folder(self, path: str) -> dict[str, Entry]:
        if path not in self._folders:
            self._folders[path] = {}
            above, _, name = path.rpartition("/")
            self._folder(above)[name] = Entry(name, "folder", path)
        return self._folders[path]

    def _count(self, reason: str) -> None:
        self.passed_over[reason] = self.passed_over.get(reason, 0) + 1

    def _followed(self, folder: str, entry: Entry) -> Entry:
        """The entry, or what the link of its name leads to."""
        path = f"{folder}/{entry.name}" if folder else entry.name
        if path not in self._links:
            return entry
        found = self._find(path, _MOST_LINKS)
        return found._replace(name=entry.name) if found else Entry(entry.name, "nowhere", "")

    def _find(self, path: str, links: int) -> Entry | None:
        """What lies at ``path``, links in any part of it followed; None for nowhere."""
        entry, place = Entry("", "folder", ""), ""
        parts = path.split("/")
        for index, part in enumerate(parts):
            place = f"{place}/{part}" if place else part
            found = self._folders.get(entry.real, {}).get(part) if entry.kind == "folder" else None
            if found is None:
                return None
            entry = found
            link = self._links.get(place)
            if link is not None:
                target = _normal(posixpath.join(posixpath.dirname(place), link))
                if not links or target is None or link.startswith("/"):
                    return None
                return self._find(
                    "/".join([*filter(None, [target]), *parts[index + 1 :]]), links - 1
                )
        return entry


def _normal(name: str) -> str | None:
    """``a/b`` for ``./a//b`` and ``/a/b``; None for what leads out."""
    path = posixpath.normpath(name.lstrip("/") or ".")
    return None if path == ".." or path.startswith("../") else "" if path == "." else path


def _load(path: Path, listing: Listing, size: int, progress: Progress) -> dict[str, Part]:
    before = _stamp(path)
    wanted = {picture.real: picture.name for picture in listing.pictures}
    try:
        parts = decoder.load(listing, _read(path, wanted), size, progress)
    except _BROKEN as error:
        raise InputError(f"{path} can't be read to its end: {error}") from error
    if _stamp(path) != before:
        raise InputError(f"{path} changed while it was read. Run again")
    return parts


def _read(path: Path, wanted: dict[str, str]) -> Iterator[tuple[str, str, bytes]]:
    """Each wanted member once, in the archive's own order. Raises InputError for a giant."""
    if path.name.lower().endswith(".zip"):
        with zipfile.ZipFile(path) as archive:
            for number, item in enumerate(archive.infolist()):
                if str(number) in wanted:
                    place = f"{path}: {plain(item.filename)}"
                    decoder.bounded(place, item.file_size)
                    with archive.open(item) as file:
                        yield str(number), place, file.read(decoder.LARGEST_PICTURE)
        return
    with tarfile.open(path) as tar:
        for number, member in enumerate(tar):
            if str(number) in wanted:
                place = f"{path}: {plain(member.name)}"
                decoder.bounded(place, member.size)
                content = tar.extractfile(member)
                assert content is not None
                yield str(number), place, content.read()
