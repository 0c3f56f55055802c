"""Two shares of right answers: how far they lie apart, on the same images or on any.

On the same images only those count that one side alone gets right: that both find an image hard
says nothing about which is better.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from comparisons.intervals import Interval, share_interval

_Z = 1.959963984540054
_BISECTIONS = 60


def paired_p(base_alone: int, new_alone: int) -> float:
    """Two-sided, of McNemar's exact test: which side an answer of one alone is on is a coin's."""
    alone = base_alone + new_alone
    tail = sum(math.comb(alone, n) for n in range(min(base_alone, new_alone) + 1))
    return float(min(1.0, 2 * tail / 2**alone))


def paired_interval(base_alone: int, new_alone: int, images: int) -> Interval:
    """Of new minus base with 95 % (Tango 1998, by the score); also where all answers agree."""
    apart = (new_alone - base_alone) / images

    def score(difference: float) -> float:
        spread = _spread(base_alone, new_alone, images, difference)
        off = new_alone - base_alone - images * difference
        return off / math.sqrt(spread) if spread > 0 else math.copysign(math.inf, off)

    return Interval(
        _where(lambda d: score(d) - _Z, -1.0, apart), _where(lambda d: score(d) + _Z, apart, 1.0)
    )


def _spread(base_alone: int, new_alone: int, images: int, difference: float) -> float:
    """The variance of new_alone - base_alone where that is the true difference."""
    middle = (2 * images - new_alone + base_alone) * difference - new_alone - base_alone
    rest = -base_alone * difference * (1 - difference)
    root = math.sqrt(max(0.0, middle**2 - 8 * images * rest))
    likeliest = (root - middle) / (4 * images)
    return images * (2 * likeliest + difference * (1 - difference))


def _where(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a function that falls from ``low`` to ``high`` is 0, else the nearer end."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def unpaired_interval(base: float, new: float, base_images: int, new_images: int) -> Interval:
    """Of new minus base with 95 % (Newcombe 1998, method 10), as if of different images.

    On the same images it is wider than need be.
    """
    below = share_interval(base * base_images, base_images)
    above = share_interval(new * new_images, new_images)
    return Interval(
        new - base - math.hypot(new - above.low, below.high - base),
        new - base + math.hypot(above.high - new, base - below.low),
    )


def unpaired_p(base: float, new: float, base_images: int, new_images: int) -> float:
    """Two-sided, of the score test."""
    pooled = (base * base_images + new * new_images) / (base_images + new_images)
    variance = pooled * (1 - pooled) * (1 / base_images + 1 / new_images)
    if variance <= 0:
        return 1.0
    return math.erfc(abs(new - base) / math.sqrt(2 * variance))
