"""Enlarging grey pictures as Pillow does, bit for bit, where there is only numpy.

Pillow's BILINEAR on 8-bit pictures: a triangle of width 2 around each target's centre, weights
rounded to 22 bits, rows first, and rounded to whole levels in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_BITS = 22
_AT_ONCE = 128


def enlarged(pictures: Pixels, size: int) -> Pixels:
    """uint8 (count, side, side) -> (count, size, size). Raises ValueError for a smaller size."""
    side = pictures.shape[-1]
    if size < side:
        raise ValueError(f"{side} x {side} pixels can't be enlarged to {size} x {size}")
    if size == side:
        return pictures
    import numpy as np

    weights = _weights(side, size)
    some = range(0, len(pictures), _AT_ONCE)  # or their sums take several times their memory
    return np.concatenate([_enlarged(pictures[i : i + _AT_ONCE], weights) for i in some])


def _enlarged(pictures: Pixels, weights: NDArray[np.float64]) -> Pixels:
    return _rounded(weights @ _rounded(pictures @ weights.T))


def _weights(side: int, size: int) -> NDArray[np.float64]:
    """(size, side): what each source pixel adds to each target, whole numbers of 22-bit steps.

    As float64, which holds their sums exactly and multiplies faster than integers.
    """
    import numpy as np

    scale = side / size
    found = np.zeros((size, side))
    for target in range(size):
        centre = (target + 0.5) * scale
        first, end = max(int(centre - 0.5), 0), min(int(centre + 1.5), side)
        distance = np.abs(np.arange(first, end) - centre + 0.5)
        triangle = np.maximum(1 - distance, 0)
        found[target, first:end] = triangle / triangle.sum()
    return np.floor(found * 2.0**_BITS + 0.5)


def _rounded(sums: NDArray[np.float64]) -> Pixels:
    import numpy as np

    levels = np.floor(sums / 2.0**_BITS + 0.5)
    return np.clip(levels, 0, 255).astype(np.uint8)
