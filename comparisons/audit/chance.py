"""How much of what an audit sees would come about by chance."""

from __future__ import annotations

import math
from collections.abc import Sequence


def at_least(count: int, chances: Sequence[float]) -> float:
    """How probable so many successes or more are, each with a chance of its own."""
    exactly = [1.0] + [0.0] * len(chances)
    for chance in chances:
        for n in range(len(chances), 0, -1):
            exactly[n] = exactly[n] * (1 - chance) + exactly[n - 1] * chance
        exactly[0] *= 1 - chance
    return math.fsum(exactly[count:])
