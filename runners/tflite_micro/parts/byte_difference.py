"""How many bytes of two answers are equal."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Array = Any


class Difference(NamedTuple):
    """Of bytes that were compared; ``largest`` is in the tensor's own units."""

    equal: int
    total: int
    largest: float

    def plus(self, other: Difference) -> Difference:
        return Difference(
            self.equal + other.equal, self.total + other.total, max(self.largest, other.largest)
        )


NONE = Difference(0, 0, 0.0)


def difference(ours: Array, theirs: Array) -> Difference:
    """Of two arrays of one type. Raises ValueError for different shapes or types."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        raise ValueError(
            f"{ours.dtype} {ours.shape} and {theirs.dtype} {theirs.shape} can't be compared"
        )
    same = _bytes(ours) == _bytes(theirs)
    apart = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    return Difference(int(same.sum()), same.size, float(apart.max(initial=0.0)))


def _bytes(values: Array) -> Array:
    return np.ascontiguousarray(values).view(np.uint8).ravel()
