"""Any folder of ``train/<class>/*`` and ``test|validation/<class>/*`` images."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from manifests.cell import sha256_hex
from manifests.errors import InputError
from orchestrator.datasets import decoder
from orchestrator.datasets.contents import Contents, hashes
from orchestrator.datasets.layout import Entry, Listing, Picture, survey
from orchestrator.datasets.names import EXPECTED, unreadable
from orchestrator.datasets.pack import Part, Progress, Source, quiet


def source(folder: Path, name: str, cache: Path | None = None) -> Source:
    """Check the layout of ``folder``. ``cache``: where hashes are kept. Raises InputError."""
    if not folder.is_dir():
        raise InputError(f"--data-dir {folder} is not a folder; {EXPECTED}")
    read = _Reading(folder, survey(_Folders(folder)), cache)
    return Source(
        name=name,
        origin=f"image folders, {folder.name}",
        classes=read.listing.classes,
        key="pictures-2",
        load=read.load,
        contents=read.contents,
        counts=read.listing.counts,
        passed_over=read.listing.passed_over,
    )


class _Folders:
    """A folder of the disk as the rules of layout see it."""

    def __init__(self, folder: Path) -> None:
        self.where = f"--data-dir {folder}"
        self._root = os.path.realpath(folder)

    def root(self) -> str:
        return self._root

    def entries(self, folder: str) -> list[Entry]:
        try:
            with os.scandir(folder) as found:
                return sorted(_entry(item) for item in found)
        except OSError as error:
            raise InputError(f"{folder} can't be read: {error.strerror}") from error


def _entry(item: os.DirEntry[str]) -> Entry:
    try:
        real = os.path.realpath(item.path) if item.is_symlink() else item.path
        mode = item.stat().st_mode
    except OSError:
        return Entry(item.name, "nowhere", item.path)
    if stat.S_ISDIR(mode):
        return Entry(item.name, "folder", real)
    return Entry(item.name, "file" if stat.S_ISREG(mode) else "special", real)


class _Reading:
    """The files of a listing: hashed first, and held to that when they are decoded."""

    def __init__(self, folder: Path, listing: Listing, cache: Path | None) -> None:
        self.listing = listing
        self._folder = folder
        self._memory = Contents(cache, f"folder {os.path.realpath(folder)}")

    @cached_property
    def _places(self) -> dict[str, Picture]:
        """Each file once, however many names it has."""
        return {picture.real: picture for picture in reversed(self.listing.pictures)}

    def contents(self, progress: Progress | None) -> str | None:
        """One hash over names, classes and pixels' files; without ``progress`` only if known."""
        paths = list(map(Path, self._places))
        try:
            if progress is None:
                known = [self._memory.known(path) for path in paths]
                found = [digest for digest in known if digest is not None]
            else:
                found = hashes(
                    paths, self._memory, lambda done: progress("reading images", done, len(paths))
                )
        except OSError as error:
            raise unreadable(str(error.filename), str(error.strerror)) from error
        if len(found) < len(paths):
            return None
        digests = dict(zip(self._places, found, strict=True))
        return sha256_hex(
            "".join(
                f"{p.split}/{p.label}/{p.name}:{digests[p.real]}\n" for p in self.listing.pictures
            ).encode("utf-8", "surrogateescape")
        )

    def load(self, size: int, progress: Progress) -> dict[str, Part]:
        before = self.contents(progress)
        parts = decoder.load(self.listing, self._read(), size, progress)
        if self.contents(quiet) != before:
            raise InputError(
                f"pictures under {self._folder} changed while they were read. Run again"
            )
        return parts

    def _read(self) -> Iterator[tuple[str, str, bytes]]:
        for real, picture in self._places.items():
            path = self._folder / picture.name
            try:
                with open(real, "rb") as file:
                    decoder.bounded(str(path), os.fstat(file.fileno()).st_size)
                    yield real, str(path), file.read()
            except OSError as error:
                raise unreadable(str(path), str(error.strerror)) from error
