"""Runs made up of noise: how often the planned looks decide where nothing differs, or something.

A run is the order A B B A, B A A B, ...: what drifts or lasts goes by that order.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

from comparisons.claims.atoms import Atoms
from comparisons.sequential.decision import Contrast, Decision, Means, decide
from comparisons.sequential.partners import Process, Series
from papers.expressions import Evaluator, Row, parse
from papers.expressions import quantities as q
from papers.expressions.forms import Leaf
from papers.expressions.logic import shares

MOST = 12
"""Processes a side: the last planned look."""
QUADRUPLES = MOST // 2

Side = str
Noise = Callable[[random.Random], Callable[[int, Side], float]]
"""For a run, the logarithm's error at a place in its order, of side "a" or "b"."""


def _independent(draw: Callable[[random.Random], float]) -> Noise:
    return lambda source: lambda order, side: draw(source)


def _t2(source: random.Random) -> float:
    return 0.02 * source.gauss(0, 1) / math.sqrt(source.expovariate(1.0))


def _modes(share: float) -> Callable[[random.Random], float]:
    def draw(source: random.Random) -> float:
        return source.gauss(0, 0.01) + (0.2 if source.random() < share else 0.0)

    return draw


def _autocorrelated(strength: float) -> Noise:
    def of_run(source: random.Random) -> Callable[[int, Side], float]:
        state = source.gauss(0, 0.02)

        def at(order: int, side: Side) -> float:
            nonlocal state
            state = strength * state + source.gauss(0, 0.02 * math.sqrt(1 - strength**2))
            return state

        return at

    return of_run


def _drift(source: random.Random) -> Callable[[int, Side], float]:
    return lambda order, side: source.gauss(0, 0.02) + 0.3 * order / (4 * QUADRUPLES)


def _noisier(source: random.Random) -> Callable[[int, Side], float]:
    return lambda order, side: source.gauss(0, 0.06 if side == "a" else 0.02)


def _run_effect(source: random.Random) -> Callable[[int, Side], float]:
    """Of the run as a whole, and anew of each quadruple."""
    run = source.gauss(0, 0.02)
    shifts = [source.gauss(0, 0.02) for _ in range(QUADRUPLES)]
    return lambda order, side: source.gauss(0, 0.02) + run + shifts[order // 4]


NOISES: dict[str, Noise] = {
    "log-normal, 2 %": _independent(lambda source: source.gauss(0, 0.02)),
    "t with 2 degrees of freedom": _independent(_t2),
    "two modes, 80/20": _independent(_modes(0.2)),
    "two modes, 60/40": _independent(_modes(0.4)),
    "autocorrelated, 0.6": _autocorrelated(0.6),
    "autocorrelated, 0.98": _autocorrelated(0.98),
    "drift of 30 %": _drift,
    "one side three times noisier": _noisier,
    "run effect of 2 %": _run_effect,
}


class Pair(NamedTuple):
    """Two partners that were run in quadruples."""

    a: Series
    b: Series


def a_pair(source: random.Random, noise: Noise, slower: float = 1.0) -> Pair:
    """``slower`` is how many times as long the first takes."""
    at = noise(source)
    sides: dict[Side, list[Process]] = {"a": [], "b": []}
    for order, side in enumerate(_orders()):
        value = math.exp(at(order, side)) * (slower if side == "a" else 1.0)
        sides[side].append(Process(f"{side}{order}", len(sides[side]), value))
    return Pair(Series(sides["a"]), Series(sides["b"]))


def _orders() -> Iterator[Side]:
    for number in range(QUADRUPLES):
        yield from "baab" if number % 2 else "abba"


def decided(pair: Pair) -> Decision:
    """Which of the two takes less."""

    def contrast(means: Means) -> Contrast:
        return Contrast(means[pair.a] - means[pair.b], {pair.a: 1.0, pair.b: -1.0})

    return decide(contrast, pair)


def share_decided(trials: int, noise: Noise, slower: float = 1.0) -> float:
    """In how many trials a difference was found, in either direction."""
    source = random.Random(1)
    found = [decided(a_pair(source, noise, slower)).side for _ in range(trials)]
    return sum(bool(side) for side in found) / trials


class Rows:
    """A table of pairs, as claims read it."""

    def __init__(self, pairs: list[Pair]) -> None:
        self.headings: q.Headings = {}
        self._pairs = pairs

    def rows(self, table: str) -> list[Row]:
        return [
            Row({"row": str(index)}, {"a": _number(pair.a), "b": _number(pair.b)}, table)
            for index, pair in enumerate(self._pairs)
        ]


def _number(series: Series) -> q.Quantity:
    return q.disturbed(math.exp(series.mean), q.NO_DOUBTS, Leaf(series))


def verdict(test: str, pairs: list[Pair]) -> str:
    """Of a claim on a table ``t`` with these rows: every part together."""
    source, node = Rows(pairs), parse(test)
    first = Evaluator(source, {}, Atoms()).truth(node)
    return Evaluator(source, {}, Atoms(dict(shares(first.logic)))).truth(node).state


def share_of_claims(trials: int, test: str, slower: list[float]) -> dict[str, float]:
    """The verdicts on tables with a row for each of ``slower``."""
    source, noise = random.Random(1), NOISES["log-normal, 2 %"]
    counts: dict[str, int] = {}
    for _ in range(trials):
        state = verdict(test, [a_pair(source, noise, factor) for factor in slower])
        counts[state] = counts.get(state, 0) + 1
    return {state: count / trials for state, count in counts.items()}
