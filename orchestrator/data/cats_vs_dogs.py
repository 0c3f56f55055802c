"""``cats_vs_dogs``: the 2,000 + 1,000 photographs that shafique2023 used.

The set is ``cats_and_dogs_filtered``, a subset of Asirra (Elson 2007). Its publisher names no
hash, so a file counts as that set by its size and by how many pictures each split has.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.data import archives
from orchestrator.data.pack import Part, Progress, Source
from orchestrator.errors import InputError, MachineError

NAME = "cats_vs_dogs"
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


def source(cache: Path, path: Path | None = None) -> Source:
    """From ``path``, else from the cache, else by a download at loading."""
    if path is not None:
        return archives.source(path, NAME, _ORIGIN)
    return Source(
        name=NAME,
        origin=_ORIGIN,
        classes=CLASSES,
        key="cats_and_dogs_filtered-1",
        load=lambda size, progress: _load(size, progress, cache),
    )


def downloaded(cache: Path) -> Path:
    """Where a download lies, or would."""
    return cache / "downloads" / ARCHIVE


def _load(size: int, progress: Progress, cache: Path) -> dict[str, Part]:
    path = _fetch(downloaded(cache).parent)
    if not is_official(path):
        raise InputError(
            f"{path} is not the {ARCHIVE} of {SIZE_BYTES:,} bytes with 2,000 + 1,000 pictures. "
            "Remove it and start again, or give the pictures with --data-dir"
        )
    return archives.source(path, NAME, _ORIGIN).load(size, progress)


def _fetch(folder: Path) -> Path:
    """Raises MachineError without a network."""
    import logging

    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    try:
        return Path(pooch.retrieve(URL, known_hash=None, fname=ARCHIVE, path=folder))
    except Exception as error:  # every network library has errors of its own
        raise MachineError(
            f"cats_vs_dogs can't be fetched ({type(error).__name__}: {str(error)[:160]}). Put "
            f"{ARCHIVE} or folders train/cats, train/dogs, validation/cats, validation/dogs under "
            "--data-dir, or use the embedded set with --dataset digits"
        ) from error
