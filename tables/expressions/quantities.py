"""What an expression works with: numbers with intervals, truths with reasons, rows of tables."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

HOLDS, FAILS, UNCLEAR = "holds", "does not hold", "can't tell"


class Missing(Exception):
    """A value that isn't there; the message says why."""


class Quantity(NamedTuple):
    """A number and the interval that it may really lie in."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return _short(self.value)
        return f"{_short(self.value)} ({_short(self.low)} to {_short(self.high)})"


def exactly(value: float) -> Quantity:
    """A number that is certain."""
    return Quantity(value, value, value)


def _short(value: float) -> str:
    return f"{value:,.0f}" if 10_000 <= abs(value) < 10_000_000 else f"{value:.4g}"


class Truth(NamedTuple):
    """``state`` is one of HOLDS, FAILS, UNCLEAR; ``why`` has the numbers."""

    state: str
    why: str


class Row(NamedTuple):
    """Keys of a table's row, and its values by column: numbers, or why there is none."""

    key: Mapping[str, str]
    values: Mapping[str, Quantity | str]


class Source(Protocol):
    """Where tables come from: the paper's numbers, or a run's."""

    def rows(self, table: str) -> Sequence[Row]:
        """Raises Missing when there is no such table."""


def add(a: Quantity, b: Quantity) -> Quantity:
    return Quantity(a.value + b.value, a.low + b.low, a.high + b.high)


def negative(a: Quantity) -> Quantity:
    return Quantity(-a.value, -a.high, -a.low)


def multiply(a: Quantity, b: Quantity) -> Quantity:
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _finite(Quantity(a.value * b.value, min(ends), max(ends)))


def divide(a: Quantity, b: Quantity) -> Quantity:
    """Raises Missing where the divisor may be zero."""
    if b.low <= 0 <= b.high:
        raise Missing("a division by what may be zero")
    ends = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _finite(Quantity(a.value / b.value, min(ends), max(ends)))


def _finite(a: Quantity) -> Quantity:
    if not all(map(math.isfinite, a)):
        raise Missing("a number too large")
    return a


def absolute(a: Quantity) -> Quantity:
    ends = (abs(a.low), abs(a.high))
    low = 0.0 if a.low <= 0 <= a.high else min(ends)
    return Quantity(abs(a.value), low, max(ends))


def compare(a: Quantity, symbol: str, b: Quantity) -> Truth:
    """Certain only where the intervals don't straddle."""
    why = f"{a} {symbol} {b}"
    if symbol in (">", ">="):
        return compare(b, symbol.replace(">", "<"), a)._replace(why=why)
    if symbol == "<":
        yes, no = a.high < b.low, a.low >= b.high
    elif symbol == "<=":
        yes, no = a.high <= b.low, a.low > b.high
    else:
        same = a.low == a.high == b.low == b.high
        apart = a.high < b.low or b.high < a.low
        yes, no = (same, apart) if symbol == "==" else (apart, same)
    return Truth(HOLDS if yes else FAILS if no else UNCLEAR, why)
