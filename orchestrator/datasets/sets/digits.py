"""``digits``: the 1,797 real handwritten digits (8 x 8) that ship inside scikit-learn."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.errors import InputError, MachineError
from manifests.paths import VENDOR
from orchestrator.datasets.bilinear import enlarged
from orchestrator.datasets.pack import Part, Progress, Source

if TYPE_CHECKING:
    import numpy as np

NAME = "digits"
PHRASE = "the embedded digits"
TEST_SHARE = 0.2
SIDE = 8
DIGITS = "digits.csv.gz"
_KEY = "digits-2"


def source(cache: Path | None = None, place: Path | None = None, name: str = NAME) -> Source:
    """The embedded set; the last fifth is the test split. Nothing is fetched or kept."""
    return Source(
        name=name,
        origin="scikit-learn load_digits (UCI optical digits), upsampled",
        classes=[str(digit) for digit in range(10)],
        key=_KEY,
        load=_load,
        mirrored=False,
    )


def _load(image_size: int, progress: Progress) -> dict[str, Part]:
    import numpy as np

    if image_size < SIDE:
        raise InputError(
            f"digits have {SIDE} x {SIDE} pixels and can't be made {image_size} x {image_size}: "
            f"choose an image_size of {SIDE} or more"
        )
    table = np.loadtxt(file(), delimiter=",", dtype=np.uint8)
    grey = np.minimum(table[:, :-1].astype(np.uint16) * 16, 255).astype(np.uint8)
    images = _upsample(grey.reshape(-1, SIDE, SIDE), image_size)
    labels = table[:, -1]
    tests = round(len(labels) * TEST_SHARE)
    progress("digits", len(labels), len(labels))
    return {
        "train": Part(images[:-tests], labels[:-tests]),
        "test": Part(images[-tests:], labels[-tests:]),
    }


def _upsample(grey: np.ndarray, size: int) -> np.ndarray:  # type: ignore[type-arg]
    """Bilinear, to (count, size, size, 3)."""
    import numpy as np

    return np.repeat(enlarged(grey, size)[..., None], 3, axis=3)


def file() -> Path:
    """The file in a folder that was packed to be carried, else inside scikit-learn.

    That is found without importing it, which takes a second.
    """
    carried = VENDOR / DIGITS
    if carried.is_file():
        return carried
    found = importlib.util.find_spec("sklearn")
    if found is None or not found.submodule_search_locations:
        raise MachineError("the digits come with scikit-learn, which is missing: run ./justw setup")
    return Path(found.submodule_search_locations[0]) / "datasets" / "data" / DIGITS
