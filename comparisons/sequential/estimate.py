"""A contrast of logarithms over quadruples, and how sure it is.

y = quadruple + cell + e. With K partners and B quadruples the residual has 2BK - B - K + 1 degrees
of freedom, and a contrast with weights a (which add up to 0) has the error s sqrt(sum a^2 / 2B).
Where the weights don't add up to 0, what all partners have in common does not drop out: the
weighted sum of each process then is one number, and those have Student's t with 2B - 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from comparisons.sequential.looks import A_QUADRUPLE
from comparisons.sequential.student import quantile, two_sided

Pair = tuple[float, float]
"""What the two processes of one cell in one quadruple measured."""
Quadruples = Sequence[Sequence[Pair]]
"""By partner, then by quadruple."""

_NOTHING = 1e-9
"""Weights that are rounding errors, relative to the largest."""
_NO_SCATTER = 1e-12
_POWER = 2.17 + 1.28
"""Of a two-sided 3 %, and of finding a difference in nine of ten times."""


class Estimate(NamedTuple):
    """``scatter`` is the standard deviation of the contrast for one process a side.

    ``compared`` is whether two sides were held against each other, else one against a number.
    """

    centre: float
    scatter: float
    freedom: int
    processes: int
    compared: bool

    @property
    def error(self) -> float:
        """The standard error of the centre."""
        return self.scatter / math.sqrt(self.processes)

    def p(self, distance: float) -> float:
        """Two-sided, that the true distance from the bound is 0.

        Processes that don't scatter at all say nothing of how far off they may be: then only their
        order speaks, as often as it comes about by chance.
        """
        if distance == 0:
            return 1.0
        if self.scatter <= _NO_SCATTER:
            return _by_order(self.processes, self.compared)
        return two_sided(distance / self.error, self.freedom)

    def half_width(self, p: float) -> float:
        """Of the interval that a two-sided ``p`` gives."""
        if self.scatter <= _NO_SCATTER:
            return 0.0
        return quantile(p, self.freedom) * self.error

    def needed(self, distance: float) -> float:
        """About how many processes a side decide at that distance from the bound."""
        if distance == 0:
            return math.inf
        return (_POWER * self.scatter / distance) ** 2


def _by_order(processes: int, compared: bool) -> float:
    if compared:
        return 2 / math.comb(2 * processes, processes)
    return 2.0 ** (1 - processes)


def estimate(weights: Sequence[float], data: Quadruples) -> Estimate:
    """The contrast of the partners' mean logarithms. Needs at least one quadruple."""
    processes = A_QUADRUPLE * len(data[0])
    largest = max(map(abs, weights), default=0.0)
    used = [
        (weight, pairs)
        for weight, pairs in zip(weights, data, strict=True)
        if abs(weight) > _NOTHING * largest
    ]
    total = sum(weight for weight, _ in used)
    if len(used) > 1 and abs(total) <= _NOTHING * largest:
        return _contrast([weight for weight, _ in used], [pairs for _, pairs in used], processes)
    return _one_sample(used, processes)


def _contrast(weights: list[float], data: list[Sequence[Pair]], processes: int) -> Estimate:
    blocks = range(len(data[0]))
    means = [sum(map(sum, pairs)) / processes for pairs in data]
    grand = sum(means) / len(means)
    block_means = [sum(sum(pairs[b]) for pairs in data) / (2 * len(data)) for b in blocks]
    squares = sum(
        (value - block_means[b] - mean + grand) ** 2
        for pairs, mean in zip(data, means, strict=True)
        for b in blocks
        for value in pairs[b]
    )
    freedom = processes * len(data) - len(blocks) - len(data) + 1
    scatter = math.sqrt(squares / freedom * sum(weight**2 for weight in weights))
    centre = sum(weight * mean for weight, mean in zip(weights, means, strict=True))
    return Estimate(centre, scatter, freedom, processes, compared=True)


def _one_sample(used: list[tuple[float, Sequence[Pair]]], processes: int) -> Estimate:
    """Processes of one place in the order belong together."""
    values = [
        sum(weight * pairs[block][turn] for weight, pairs in used)
        for block in range(processes // A_QUADRUPLE)
        for turn in range(A_QUADRUPLE)
    ]
    centre = sum(values) / processes
    squares = sum((value - centre) ** 2 for value in values)
    scatter = math.sqrt(squares / (processes - 1))
    return Estimate(centre, scatter, processes - 1, processes, compared=False)
