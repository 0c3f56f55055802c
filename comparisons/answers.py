"""Which test images a cell's model got right, where the cell left its answers."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from manifests.artifacts import fault
from manifests.manifest import Manifest

FILE = "outputs.npz"
_ARRAYS = ("images", "labels", "predicted")
_LARGEST_BYTES = 2**27


class Answers(NamedTuple):
    """``images`` names the test images, ``right`` says for each whether it was recognised."""

    images: tuple[int, ...]
    right: tuple[bool, ...]


def read_answers(folder: Path, manifest: Manifest) -> Answers | None:
    """None where the cell left none, they aren't as recorded, or they can't be read."""
    found = next((artifact for artifact in manifest.artifacts if artifact.path == FILE), None)
    if found is None or fault(folder, found) is not None:
        return None
    try:
        return _answers(_arrays(folder / FILE))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None


def _arrays(path: Path) -> list[Any]:
    import numpy

    with zipfile.ZipFile(path) as archive:
        if any(archive.getinfo(f"{name}.npy").file_size > _LARGEST_BYTES for name in _ARRAYS):
            raise ValueError("too large for classes of test images")
    with numpy.load(path, allow_pickle=False) as arrays:
        return [arrays[name] for name in _ARRAYS]


def _answers(arrays: list[Any]) -> Answers | None:
    """None where they aren't three whole numbers for each image, or an image comes twice."""
    images, labels, predicted = arrays
    whole = all(array.ndim == 1 and array.dtype.kind in "iu" for array in arrays)
    if not whole or not len(images) == len(labels) == len(predicted) > 0:
        return None
    places = tuple(images.tolist())
    if len({*places}) < len(places):
        return None
    return Answers(places, tuple((labels == predicted).tolist()))
