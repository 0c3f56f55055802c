"""Student's t for whole degrees of freedom, in closed form (Abramowitz and Stegun 26.7.3, 26.7.4).

Reading a run needs no scipy for it.
"""

from __future__ import annotations

import functools
import math

_HALVINGS = 60


def two_sided(t: float, freedom: int) -> float:
    """The probability of a t at least as far from 0."""
    if math.isinf(t):
        return 0.0
    angle = math.atan2(abs(t), math.sqrt(freedom))
    sine, square = math.sin(angle), math.cos(angle) ** 2
    if freedom % 2:
        terms = _series(math.cos(angle), square, 3, freedom)
        inside = 2 / math.pi * (angle + sine * (terms if freedom > 1 else 0.0))
    else:
        inside = sine * _series(1.0, square, 2, freedom)
    return min(1.0, max(0.0, 1 - inside))


def _series(first: float, square: float, start: int, freedom: int) -> float:
    """Of cosines, each term from the one before."""
    total = term = first
    for step in range(start, freedom - 1, 2):
        term *= square * (step - 1) / step
        total += term
    return total


@functools.cache
def quantile(p: float, freedom: int) -> float:
    """The t that is so far from 0 with a two-sided probability of ``p``."""
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > p:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, freedom) > p else (low, middle)
    return high
