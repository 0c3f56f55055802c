"""``digit-captions``: one to three digits on a canvas, and what a fixed grammar says of them.

A canvas has 3 x 3 places of 8 x 8 pixels, each for one of the digits that ship inside scikit-learn.
The caption names them row by row, from left to right: "a three", "a three left of a seven", "a five
above a two left of a nine". A digit in the same row as the next is left of it, else it is above it;
so every canvas has exactly one caption. Digits of the test canvases are in no training canvas.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from manifests.errors import InputError
from orchestrator.datasets.bilinear import enlarged
from orchestrator.datasets.captions import tokens, vocabulary
from orchestrator.datasets.pack import Part, Progress, Source
from orchestrator.datasets.sets import digits

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

NAME = "digit-captions"
PHRASE = "captions made from the embedded digits"
CAPTIONS = True
SIDE = 3
PIXELS = SIDE * digits.SIDE
COUNTS = {"train": 4000, "test": 500}
MOST_DIGITS = 3
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LONGEST = MOST_DIGITS * 2 + (MOST_DIGITS - 1) * 2
"""Words: two for each digit, two at most between two of them."""
SEED = 2023
_KEY = "digit-captions-1"


class Placed(NamedTuple):
    """A digit and its place on the canvas, counted row by row from 0."""

    place: int
    digit: int


def source(cache: Path | None = None, place: Path | None = None, name: str = NAME) -> Source:
    """The embedded set. Nothing is fetched or kept."""
    return Source(
        name=name,
        origin="a grammar over scikit-learn load_digits (UCI optical digits)",
        classes=words(),
        key=_KEY,
        load=_load,
        counts=COUNTS,
        mirrored=False,
    )


def words() -> list[str]:
    """The vocabulary: what the grammar can say."""
    return vocabulary([[*WORDS, "a", "left", "of", "above"]])


def caption(placed: list[Placed]) -> list[str]:
    """The words for digits on a canvas, in whatever order they are given."""
    found: list[str] = []
    ordered = sorted(placed)
    for before, one in zip([None, *ordered], ordered, strict=False):
        if before is not None:
            same_row = before.place // SIDE == one.place // SIDE
            found += ["left", "of"] if same_row else ["above"]
        found += ["a", WORDS[one.digit]]
    return found


def _load(image_size: int, progress: Progress) -> dict[str, Part]:
    import numpy as np

    if image_size < PIXELS:
        raise InputError(
            f"canvases of digit-captions have {PIXELS} x {PIXELS} pixels and can't be made "
            f"{image_size} x {image_size}: choose an image_size of {PIXELS} or more"
        )
    drawn = digits.source().load(digits.SIDE, progress)
    generator = np.random.default_rng(SEED)
    return {
        split: _canvases(drawn[split], COUNTS[split], image_size, generator) for split in COUNTS
    }


def _canvases(part: Part, count: int, image_size: int, generator: np.random.Generator) -> Part:
    import numpy as np

    canvases = np.zeros((count, PIXELS, PIXELS), np.uint8)
    said = []
    for canvas in canvases:
        among = int(generator.integers(1, MOST_DIGITS + 1))
        places = generator.permutation(SIDE * SIDE)[:among]
        pictures = generator.integers(0, len(part.labels), among)
        for place, picture in zip(places, pictures, strict=True):
            _put(canvas, int(place), part.images[picture, :, :, 0])
        placed = [
            Placed(int(place), int(part.labels[picture]))
            for place, picture in zip(places, pictures, strict=True)
        ]
        said.append([caption(placed)])
    images = np.repeat(enlarged(canvases, image_size)[..., None], 3, axis=3)
    return Part(images, tokens(said, words(), LONGEST))  # type: ignore[arg-type]


def _put(canvas: Pixels, place: int, picture: Pixels) -> None:
    row, column = (digits.SIDE * at for at in divmod(place, SIDE))
    canvas[row : row + digits.SIDE, column : column + digits.SIDE] = picture
