"""Any folder of ``train/<class>/*`` and ``test|validation/<class>/*`` images."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from orchestrator.data.pack import Part, Progress, Source
from orchestrator.errors import InputError

if TYPE_CHECKING:
    import numpy as np

TEST_NAMES = ("test", "validation", "val")
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".gif", ".ppm")
_EXPECTED = "expected train/<class>/*.jpg and test/<class>/*.jpg (or validation/)"
_MOST_CLASSES = 256


def source(folder: Path, name: str) -> Source:
    """Check the layout of ``folder``. Raises InputError."""
    train, test = _splits(folder)
    classes = _classes(train)
    others = _classes(test)
    if classes != others:
        raise InputError(_different(folder, test, classes, others))
    check_class_count(str(train), classes)
    files = {"train": _files(train, classes), "test": _files(test, classes)}
    return Source(
        name=name,
        origin=f"image folders, {folder.name}",
        classes=classes,
        key=_key(files),
        load=lambda size, progress: {
            split: _decode(paths, size, progress) for split, paths in files.items()
        },
    )


def check_class_count(where: str, classes: list[str]) -> None:
    """Raises InputError for fewer classes than two, or more than a label can count."""
    if not 2 <= len(classes) <= _MOST_CLASSES:
        raise InputError(
            f"{where} has {len(classes)} class folder{'s' * (len(classes) != 1)}"
            f"{f' ({classes[0]})' if len(classes) == 1 else ''}; "
            f"2 to {_MOST_CLASSES} are needed: {_EXPECTED}"
        )


def _splits(folder: Path) -> tuple[Path, Path]:
    if not folder.is_dir():
        raise InputError(f"--data-dir {folder} is not a folder; {_EXPECTED}")
    test = next((folder / name for name in TEST_NAMES if (folder / name).is_dir()), None)
    train = folder / "train"
    if not train.is_dir() or test is None:
        found = ", ".join(sorted(os.listdir(folder))[:8]) or "nothing"
        raise InputError(f"--data-dir {folder} holds {found}; {_EXPECTED}")
    return train, test


def _classes(split: Path) -> list[str]:
    return sorted(item.name for item in split.iterdir() if item.is_dir())


def _different(folder: Path, test: Path, train: list[str], others: list[str]) -> str:
    only_train = ", ".join(sorted(set(train) - set(others))[:5]) or "none"
    only_test = ", ".join(sorted(set(others) - set(train))[:5]) or "none"
    return (
        f"--data-dir {folder}: the splits have different classes (only in train: {only_train}; "
        f"only in {test.name}: {only_test}). Give both the same class folders"
    )


def _files(split: Path, classes: list[str]) -> list[tuple[Path, int]]:
    found: list[tuple[Path, int]] = []
    for label, name in enumerate(classes):
        folder = split / name
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        if not paths:
            raise InputError(f"{folder} has no images; accepted: {', '.join(SUFFIXES)}")
        found += [(path, label) for path in paths]
    return found


def _key(files: dict[str, list[tuple[Path, int]]]) -> str:
    """A hash of names, sizes and times, so that a changed folder is packed anew."""
    digest = hashlib.sha256(b"folders-1")
    for split, paths in files.items():
        for path, label in paths:
            place = f"{split}/{label}/{path.parent.name}/{path.name}"
            status = _status(path)
            digest.update(
                f"{place}/{status.st_size}/{status.st_mtime_ns}".encode(errors="surrogateescape")
            )
    return digest.hexdigest()


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:  # a link that leads nowhere
        raise _no_picture(path, error) from error


def _decode(files: list[tuple[Path, int]], size: int, progress: Progress) -> Part:
    import numpy as np

    images = np.empty((len(files), size, size, 3), np.uint8)
    for index, (path, _) in enumerate(files):
        images[index] = decode(path, str(path), size)
        if index % 500 == 0:
            progress("decoding images", index, len(files))
    return Part(images, np.array([label for _, label in files], np.uint8))


def decode(file: Path | BinaryIO, place: str, size: int) -> np.ndarray:  # type: ignore[type-arg]
    """RGB at (size, size), stretched to it like the Keras loader does.

    Raises InputError that names ``place``.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            picture = image.convert("RGB")
            if picture.size != (size, size):
                picture = picture.resize((size, size), Image.Resampling.BILINEAR)
            return np.asarray(picture)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise _no_picture(place, error) from error


def _no_picture(place: Path | str, error: Exception) -> InputError:
    return InputError(
        f"{place} can't be read as an image ({error}). Mend it or take it out of the folder"
    )
