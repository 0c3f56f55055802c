"""Times of repeated processes as real ones scatter: log-normal, with a slow one now and then."""

from __future__ import annotations

import random

SPREAD = 0.02
SLOW_SHARE, SLOW_BY = 0.05, 1.1


def times(source: random.Random, count: int, middle: float = 1.0) -> list[float]:
    """``count`` positive times around ``middle``."""
    return [
        middle
        * source.lognormvariate(0.0, SPREAD)
        * (SLOW_BY if source.random() < SLOW_SHARE else 1.0)
        for _ in range(count)
    ]
