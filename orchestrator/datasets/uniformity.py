"""Images that are all the same, or have nothing on them: nothing can be learnt from those."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Pixels = np.ndarray[Any, np.dtype[np.uint8]]

# In levels of 256. JPEG alone scatters a plain picture by more than one.
_SAME_LEVELS = 1.0
_PLAIN_LEVELS = 2
_PLAIN_SHARE = 0.5
_MOST_IMAGES = 2000
_MOST_VALUES = 20_000_000


def uniformity(splits: Mapping[str, Pixels]) -> str:
    """Why the images of a split are as good as equal, or empty; of up to 2,000 of each."""
    found = [words for name, images in splits.items() if (words := _judged(name, images))]
    return "; ".join(found)


def _judged(split: str, images: Pixels) -> str:
    most = max(2, min(_MOST_IMAGES, _MOST_VALUES // images[0].size))
    some = images[:: -(-len(images) // most)]
    flat = some.reshape(len(some), -1, some.shape[-1])
    scatter = float(flat.std(axis=0).mean())
    if len(some) > 1 and scatter < _SAME_LEVELS:
        return f"the {split} images differ from one another by {scatter:.2g} of 255 levels"
    spans = flat.max(axis=1).astype(int) - flat.min(axis=1)
    plain = float((spans.max(axis=-1) <= _PLAIN_LEVELS).mean())
    if plain >= _PLAIN_SHARE:
        return f"{plain:.0%} of the {split} images are of one colour"
    return ""
