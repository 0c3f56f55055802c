"""``cats_vs_dogs``: the 2,000 + 1,000 photographs that shafique2023 used.

The set is ``cats_and_dogs_filtered``, a subset of Asirra (Elson 2007). Its publisher states no
hash: a file counts as that set by its size and by how many pictures each split has, and a
download's SHA-256 is compared with the one that was seen first.
"""

from __future__ import annotations

from pathlib import Path

from manifests.errors import InputError
from orchestrator.datasets import archives, downloads
from orchestrator.datasets.pack import Part, Progress, Source

NAME = "cats_vs_dogs"
IMAGE_SIZE = 128
ARCHIVE = "cats_and_dogs_filtered.zip"
URL = f"https://storage.googleapis.com/mledu-datasets/{ARCHIVE}"
SIZE_BYTES = 68_606_236
CLASSES = ["cats", "dogs"]
COUNTS = {"train": 2000, "test": 1000}
_ORIGIN = "cats_and_dogs_filtered, a subset of Asirra (Elson 2007)"


def is_official(path: Path) -> bool:
    """True for the archive under its own name, of its size and with its pictures."""
    return (
        path.name == ARCHIVE
        and path.is_file()
        and path.stat().st_size == SIZE_BYTES
        and archives.counts(path) == COUNTS
    )


def recognises(place: Path) -> bool:
    """As ``is_official``."""
    return is_official(place)


def found_in(folder: Path) -> Path | None:
    """The archive under its own name, official or not."""
    archive = folder / ARCHIVE
    return archive if archive.is_file() else None


def source(cache: Path, place: Path | None = None, name: str = NAME) -> Source:
    """From ``place``, else from the cache, else by a download."""
    if place is not None:
        return archives.source(place, name, _ORIGIN, cache)
    folder = kept_in(cache)

    def contents(progress: Progress | None) -> str | None:
        known = downloads.recorded(remote(), folder)
        if known is None and progress is not None:
            downloads.fetch(remote(), folder, cache, progress)
            known = downloads.recorded(remote(), folder)
        return known.sha256 if known else None

    def checked() -> str:
        known = downloads.recorded(remote(), folder)
        return known.checked if known else ""

    return Source(
        name=NAME,
        origin=_ORIGIN,
        classes=CLASSES,
        key="cats_and_dogs_filtered-2",
        load=lambda size, progress: _load(size, progress, cache),
        contents=contents,
        counts=COUNTS,
        checked=checked,
    )


def remote() -> downloads.Remote:
    """The archive as its publisher offers it."""
    return downloads.Remote(
        what=NAME,
        url=URL,
        otherwise=(
            f"put {ARCHIVE} or folders train/cats, train/dogs, validation/cats, validation/dogs "
            "under --data-dir, or use the embedded set with --dataset digits"
        ),
        size_bytes=SIZE_BYTES,
    )


def kept_in(cache: Path) -> Path:
    """The folder where a download lies, or would."""
    return cache / "downloads"


def _load(size: int, progress: Progress, cache: Path) -> dict[str, Part]:
    path = downloads.fetch(remote(), kept_in(cache), cache, progress)
    if not is_official(path):
        raise InputError(
            f"{path} is not the {ARCHIVE} of {SIZE_BYTES:,} bytes with 2,000 + 1,000 pictures. "
            "Remove it and start again, or give the pictures with --data-dir"
        )
    return archives.source(path, NAME, _ORIGIN, cache).load(size, progress)
