"""Processes of two sides that were run in turn, A B B A: what drifts is the same for both.

A quadruple has two processes of each side. Its mean takes up what the machine was like at that
time; what remains is one variance for both sides, with 3 B - 1 degrees of freedom for B of them.
"""

from __future__ import annotations

import datetime
import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from comparisons.intervals import CONFIDENCE, Interval

LEAST = 2
"""Four processes a side: of two, a second mode of the machine makes a difference by itself."""
_ORDERS = ("ABBA", "BAAB")

Quadruple = tuple[tuple[float, float], tuple[float, float]]
"""The values of A and of B."""


class Contrast(NamedTuple):
    """Of log B - log A: its two-sided p, and the interval of B / A of 95 %."""

    p: float
    interval: Interval


class Timed(NamedTuple):
    """A process' start and value, and the node of a cluster that it ran on."""

    started_at: str
    value: float
    node: str = ""


def quadruples(base: Sequence[Timed], new: Sequence[Timed]) -> list[Quadruple] | None:
    """None unless all processes, one after the other, are such quadruples."""
    if len({one.node for one in (*base, *new)}) > 1:
        return _by_node(base, new)
    named = [(_instant(one), "A", one.value) for one in base]
    named += [(_instant(one), "B", one.value) for one in new]
    if any(start is None for start, _, _ in named) or len(named) % 4 or not named:
        return None
    ordered = sorted(named, key=lambda item: item[0] or 0.0)
    starts = [start for start, _, _ in ordered]
    if len({*starts}) < len(starts):
        return None
    blocks = [ordered[begin : begin + 4] for begin in range(0, len(ordered), 4)]
    if any("".join(side for _, side, _ in block) not in _ORDERS for block in blocks):
        return None
    return [(_of("A", block), _of("B", block)) for block in blocks]


def _by_node(base: Sequence[Timed], new: Sequence[Timed]) -> list[Quadruple] | None:
    """Those of each node; None unless all of every node's processes are such."""
    found: list[Quadruple] = []
    for node in sorted({one.node for one in (*base, *new)}):
        there = ([one for one in side if one.node == node] for side in (base, new))
        blocks = quadruples(*there)
        if blocks is None:
            return None
        found += blocks
    return found


def _instant(one: Timed) -> float | None:
    try:
        return datetime.datetime.fromisoformat(one.started_at).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _of(side: str, block: Sequence[tuple[float | None, str, float]]) -> tuple[float, float]:
    first, second = (value for _, name, value in block if name == side)
    return first, second


def contrast(found: Sequence[Quadruple]) -> Contrast | None:
    """None for fewer than ``LEAST``, for what isn't positive, and where nothing varies."""
    values = [value for quadruple in found for pair in quadruple for value in pair]
    if len(found) < LEAST or min(values) <= 0:
        return None
    logs = [[[math.log(value) for value in pair] for pair in quadruple] for quadruple in found]
    apart = statistics.fmean(sum(b) / 2 - sum(a) / 2 for a, b in logs)
    rest = math.fsum(
        (value - statistics.fmean([*a, *b]) - sign * apart / 2) ** 2
        for a, b in logs
        for sign, pair in ((-1, a), (1, b))
        for value in pair
    )
    freedom = 3 * len(found) - 1
    error = math.sqrt(rest / freedom / len(found))
    if error <= 0:
        return None
    return _judged(apart, error, freedom)


def _judged(apart: float, error: float, freedom: int) -> Contrast:
    from scipy import special

    p = 2 * float(special.stdtr(freedom, -abs(apart) / error))
    half = error * float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2))
    return Contrast(p, Interval(math.exp(apart - half), math.exp(apart + half)))
