"""Kendall's rank correlation of a few rows, with the exact probability of as much by chance."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

MOST_ROWS = 50
"""Beyond that the exact distribution takes long, and nobody lays so many rows beside each other."""


class RankCorrelation(NamedTuple):
    """Kendall's tau-a: pairs in order less pairs out of order, over all pairs, ties included.

    ``p`` is two-sided: how often a random order of the rows gives at least as much either way. None
    where both sides have ties, or there are too many rows.
    """

    tau: float
    p: float | None
    rows: int


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation:
    """Of two columns with at least two rows."""
    score = sum(
        _sign(a[0] - b[0]) * _sign(a[1] - b[1])
        for a, b in itertools.combinations(list(zip(first, second, strict=True)), 2)
    )
    rows = len(first)
    return RankCorrelation(2 * score / (rows * (rows - 1)), _p(score, first, second), rows)


def _sign(difference: float) -> int:
    return (difference > 0) - (difference < 0)


def _p(score: int, first: Sequence[float], second: Sequence[float]) -> float | None:
    ties = [sorted(Counter(side).values()) for side in (first, second)]
    tied = [counts for counts in ties if counts[-1] > 1]
    if len(tied) == 2 or len(first) > MOST_ROWS:
        return None
    counts = orders_by_inversions(tied[0] if tied else ties[0])
    pairs = len(counts) - 1
    as_far = sum(c for inverted, c in enumerate(counts) if abs(pairs - 2 * inverted) >= abs(score))
    return as_far / sum(counts)


def orders_by_inversions(groups: Sequence[int]) -> list[int]:
    """How many orders of a multiset have 0, 1, 2, ... pairs out of order.

    ``groups`` are the sizes of the sets of equal values. (The coefficients of a Gaussian
    multinomial: MacMahon 1913.)
    """
    counts, before = [1], 0
    for size in groups:
        counts = _product(counts, _gaussian(before, size))
        before += size
    return counts


@cache
def _gaussian(before: int, size: int) -> tuple[int, ...]:
    """Orders of two groups by inversions: the last place is one of the first group, or isn't."""
    if not before or not size:
        return (1,)
    found = [0] * (before * size + 1)
    for at, count in enumerate(_gaussian(before, size - 1)):
        found[at] += count
    for at, count in enumerate(_gaussian(before - 1, size)):
        found[at + size] += count
    return tuple(found)


def _product(first: Sequence[int], second: Sequence[int]) -> list[int]:
    found = [0] * (len(first) + len(second) - 1)
    for (i, a), (j, b) in itertools.product(enumerate(first), enumerate(second)):
        found[i + j] += a * b
    return found
