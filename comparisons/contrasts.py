"""Intervals of 95 % of factors and of their shares, over repeated processes.

A factor is a product of medians and of inverse medians, so its logarithm is a contrast: a sum of
logarithms, each taken once or minus once.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from comparisons.intervals import Interval, median_interval, ratio_interval

Contrast = Mapping[str, int]
"""How often the logarithm of what is called so is taken: 1 or -1, and 0 where it drops out."""
Processes = Mapping[str, Sequence[float]]
"""Positive values, one for each process."""


def factor_interval(contrast: Contrast, processes: Processes) -> Interval | None:
    """None where a part of it has fewer than two processes.

    Of a plain quotient as in the tables; of more parts each one's half-width adds in squares (MOVER
    on logarithms, Zou and Donner 2008).
    """
    signs = {name: sign for name, sign in contrast.items() if sign}
    if sorted(signs.values()) == [-1, 1]:
        below, above = sorted(signs, key=lambda name: signs[name])
        return ratio_interval(processes.get(below, ()), processes.get(above, ()))
    known = _known(signs, processes)
    if known is None:
        return None
    middle, half = known
    centre = sum(sign * middle[name] for name, sign in signs.items())
    width = math.sqrt(sum((sign * half[name]) ** 2 for name, sign in signs.items()))
    return Interval(math.exp(centre - width), math.exp(centre + width))


def part_interval(part: Contrast, whole: Contrast, processes: Processes) -> Interval | None:
    """Of the part's share in the logarithm of the whole (Fieller 1954).

    Both vary together where they share processes. None where there are no repeats, and where the
    whole is not certainly a speedup or a slowdown: a share of it is then anything.
    """
    known = _known({**part, **whole}, processes)
    if known is None:
        return None
    middle, half = known

    def along(first: Contrast, second: Contrast) -> float:
        product = _value(first, middle) * _value(second, middle)
        return product - sum(n * second.get(k, 0) * half[k] ** 2 for k, n in first.items())

    square, cross, rest = along(whole, whole), along(part, whole), along(part, part)
    if square <= 0:
        return None
    width = math.sqrt(max(0.0, cross**2 - square * rest))
    return Interval((cross - width) / square, (cross + width) / square)


def _value(contrast: Contrast, middle: Mapping[str, float]) -> float:
    return sum(sign * middle[name] for name, sign in contrast.items())


def _known(
    names: Contrast, processes: Processes
) -> tuple[dict[str, float], dict[str, float]] | None:
    """The logarithm of each median, and half the width of its interval."""
    middle, half = {}, {}
    for name in names:
        values = processes.get(name, ())
        if len(values) < 2 or min(values) <= 0:
            return None
        found = median_interval(values)
        assert found is not None
        middle[name] = math.log(statistics.median(values))
        half[name] = math.log(found.high / found.low) / 2
    return middle, half
