"""Comparing two numbers, or the extremes of several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, Protocol

from papers.expressions import logic as lg
from papers.expressions import quantities as q
from papers.expressions.logic import Logic
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Doubts, Quantity
from papers.expressions.rows import Placed, ordered_pairs

NEGATED = {HOLDS: FAILS, FAILS: HOLDS, UNCLEAR: UNCLEAR}


class Compared(NamedTuple):
    """What came of a comparison, and what it rests on."""

    state: str
    logic: Logic = lg.NOTHING
    doubts: Doubts = q.NO_DOUBTS


class Comparing(Protocol):
    """How numbers are compared.

    ``takes_apart``: an extreme is compared value by value, a trend pair by pair.
    """

    takes_apart: bool

    def compare(self, a: Quantity, symbol: str, b: Quantity) -> Compared:
        """``symbol`` is one of < <= > >= == !=."""

    def shown(self, a: Quantity) -> Quantity:
        """With the interval that people are shown."""


class ByIntervals:
    """Certain where intervals lie apart."""

    takes_apart = False

    def compare(self, a: Quantity, symbol: str, b: Quantity) -> Compared:
        doubts = q.all_doubts((a, b))
        a, b = q.paired(a, b)
        return Compared(q.compare(a, symbol, b), doubts=doubts)

    def shown(self, a: Quantity) -> Quantity:
        return a


class Extreme(NamedTuple):
    """The largest or smallest of some values; of one value that value."""

    kind: Literal["max", "min"]
    values: Sequence[Quantity]


def compare_extremes(by: Comparing, a: Extreme, symbol: str, b: Extreme) -> Compared:
    """max(a) <= max(b): every one of a is at most some of b."""
    if symbol in (">", ">="):
        return compare_extremes(by, b, symbol.replace(">", "<"), a)
    if symbol in ("==", "!="):
        ways = (compare_extremes(by, a, "<=", b), compare_extremes(by, b, "<=", a))
        same = together("and", ways)
        return same if symbol == "==" else opposite(same)
    outer = _joining(a.kind == "max")
    inner = _joining(b.kind == "min")
    return outer([inner([by.compare(x, symbol, y) for y in b.values]) for x in a.values])


def _joining(every: bool) -> Callable[[Sequence[Compared]], Compared]:
    return lambda parts: together("and" if every else "or", parts)


def together(kind: Literal["and", "or"], parts: Sequence[Compared]) -> Compared:
    """What decides alone decides."""
    if len(parts) == 1:
        return parts[0]
    deciding = FAILS if kind == "and" else HOLDS
    states = {part.state for part in parts}
    state = deciding if deciding in states else UNCLEAR if UNCLEAR in states else NEGATED[deciding]
    doubts = q.NO_DOUBTS.union(*(part.doubts for part in parts if part.state == UNCLEAR))
    return Compared(state, lg.joined(kind, [part.logic for part in parts]), doubts)


def opposite(found: Compared) -> Compared:
    """Of its negation."""
    return found._replace(state=NEGATED[found.state], logic=lg.joined("not", [found.logic]))


def trend_of_pairs(by: Comparing, placed: Sequence[Placed]) -> tuple[Quantity, Logic]:
    """Kendall's tau with the pairs that aren't certain counted both ways."""
    low = high = point = 0
    votes = []
    for first, second in ordered_pairs(placed):
        found = by.compare(first, "<", second)
        votes.append(found.logic)
        point += (second.value > first.value) - (second.value < first.value)
        tied = first.low == first.high == second.low == second.high
        low += 0 if tied else 1 if found.state == HOLDS else -1
        high += 0 if tied else -1 if found.state == FAILS else 1
    pairs = len(placed) * (len(placed) - 1) // 2
    doubts = q.all_doubts(one.value for one in placed)
    tau = Quantity(point / pairs, low / pairs, high / pairs, doubts)
    return tau, lg.joined("votes", votes)
