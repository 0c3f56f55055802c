"""What an expression works with: numbers with intervals, truths with reasons, rows of tables."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

from papers.expressions import forms
from papers.expressions.forms import Form
from papers.expressions.logic import NOTHING, Logic

HOLDS, FAILS, UNCLEAR = "holds", "does not hold", "undecided"

Doubts = frozenset[tuple[str, str]]
"""Flags and the cells that carry them, for which a number decides nothing."""
NO_DOUBTS: Doubts = frozenset()


class Missing(Exception):
    """A value that isn't there; the message says why."""


class Answers(Protocol):
    """Which test images a share of right answers counts."""

    def ahead_of(self, other: Any) -> tuple[float, float] | None:
        """The interval of 95 % of this share less another's; None where it is of other images."""


class Quantity(NamedTuple):
    """A number and the interval that it may really lie in.

    Where a measurement was disturbed that is everything, and ``doubts`` says what disturbed it.
    ``form`` is how it follows from repeated processes, where it does; None for other numbers.
    ``answers`` are those that a share of test images follows from, where they are known: shares of
    the same images are compared image by image.
    """

    value: float
    low: float
    high: float
    doubts: Doubts = NO_DOUBTS
    form: Form | None = None
    answers: Answers | None = None

    @property
    def certain(self) -> bool:
        """Whether it can't be another number."""
        return self.low == self.high

    @property
    def open(self) -> bool:
        """Whether it may be anything."""
        return math.isinf(self.low) and math.isinf(self.high)

    def __str__(self) -> str:
        return self.with_unit("")

    def with_unit(self, unit: str) -> str:
        """``0.22 GB (0.215 to 0.225)``; without an interval that its digits don't show."""
        value, low, high = map(_short, self[:3])
        told = f"{value} {unit}".strip()
        if self.doubts:
            return f"{told} (flagged)"
        return told if low == value == high or self.open else f"{told} ({low} to {high})"


def exactly(value: float) -> Quantity:
    """A number that is certain."""
    return Quantity(value, value, value)


def disturbed(value: float, doubts: Doubts, form: Form | None = None) -> Quantity:
    """A number that may really be anything."""
    return Quantity(value, -math.inf, math.inf, doubts, form)


def form_of(a: Quantity) -> Form | None:
    """Also of a number that is certain."""
    return forms.Constant(a.value) if a.form is None and a.certain else a.form


def _form(kind: Callable[[Form, Form], Form], a: Quantity, b: Quantity) -> Form | None:
    """None where neither was measured by processes, or where one has another kind of interval."""
    first, second = form_of(a), form_of(b)
    if (a.form is None and b.form is None) or first is None or second is None:
        return None
    return kind(first, second)


def all_doubts(parts: Iterable[Quantity | Truth]) -> Doubts:
    """Of everything that something follows from."""
    return NO_DOUBTS.union(*(part.doubts for part in parts))


def mean_form(known: Sequence[Quantity]) -> Form | None:
    """Of their mean; None where one of them has another kind of interval, or none is measured."""
    found = [form_of(one) for one in known]
    total = found[0]
    for form in found[1:]:
        total = None if total is None or form is None else forms.Sum(total, form)
    if total is None or not any(one.form for one in known):
        return None
    return forms.Product(total, forms.Constant(1 / len(known)))


def _short(value: float) -> str:
    """Four significant digits, and all in front of the point."""
    if 10_000 <= abs(value) < 1e15:
        return f"{value:,.0f}"
    text = f"{value:.4g}"
    return f"{Decimal(text):f}" if 1e-9 < abs(value) < 1e-3 else text


class Truth(NamedTuple):
    """``state`` is one of HOLDS, FAILS, UNCLEAR; ``why`` has the numbers.

    ``doubts`` are those for which it is UNCLEAR, where such are a reason. ``short`` is the number
    that it rests on, or how many of how many hold; ``logic`` the comparisons.
    """

    state: str
    why: str
    doubts: Doubts = NO_DOUBTS
    short: str = ""
    logic: Logic = NOTHING


def truth(
    state: str,
    why: str,
    parts: Iterable[Quantity | Truth],
    short: str = "",
    logic: Logic = NOTHING,
) -> Truth:
    """``parts`` are what it follows from; their doubts count only where it is not certain."""
    doubts = all_doubts(parts) if state == UNCLEAR else NO_DOUBTS
    return Truth(state, why, doubts, short, logic)


class Row(NamedTuple):
    """Keys of a table's row, its values by column (numbers, or why there is none), its table."""

    key: Mapping[str, str]
    values: Mapping[str, Quantity | str]
    table: str = ""


class Heading(NamedTuple):
    """What a column is called, the unit of its values, and the one they are shown with."""

    label: str
    unit: str
    shown: str


class Titled(NamedTuple):
    """What a table is called in its paper, and its columns by name."""

    name: str
    columns: Mapping[str, Heading]


Headings = Mapping[str, Titled]
"""By the id of the table."""


class Source(Protocol):
    """Where tables come from: the paper's numbers, or a run's."""

    @property
    def headings(self) -> Headings:
        """For words; a table may lack here."""

    def rows(self, table: str) -> Sequence[Row]:
        """Raises Missing when there is no such table."""


def add(a: Quantity, b: Quantity) -> Quantity:
    form = _form(forms.Sum, a, b)
    return Quantity(a.value + b.value, a.low + b.low, a.high + b.high, all_doubts((a, b)), form)


def subtract(a: Quantity, b: Quantity) -> Quantity:
    ends = a.answers.ahead_of(b.answers) if a.answers and b.answers else None
    if ends is None:
        return add(a, negative(b))
    return Quantity(a.value - b.value, *ends)


def paired(a: Quantity, b: Quantity) -> tuple[Quantity, Quantity]:
    """Two numbers that compare as these do: their difference with 0, where that is known better."""
    if a.answers is None or b.answers is None or a.answers.ahead_of(b.answers) is None:
        return a, b
    return subtract(a, b), exactly(0.0)


def negative(a: Quantity) -> Quantity:
    form = None if a.form is None else forms.negative(a.form)
    return Quantity(-a.value, -a.high, -a.low, a.doubts, form)


def multiply(a: Quantity, b: Quantity) -> Quantity:
    doubts, form = all_doubts((a, b)), _form(forms.Product, a, b)
    if doubts or a.open or b.open:
        return disturbed(a.value * b.value, doubts, form)
    ends = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _finite(Quantity(a.value * b.value, min(ends), max(ends), form=form))


def divide(a: Quantity, b: Quantity) -> Quantity:
    """Raises Missing where the divisor may be zero; what processes measured may be found not to."""
    doubts, form = all_doubts((a, b)), _form(forms.Quotient, a, b)
    may_be_zero = b.low <= 0 <= b.high
    if b.value and (doubts or a.open or b.open or (form is not None and may_be_zero)):
        return disturbed(a.value / b.value, doubts, form)
    if may_be_zero:
        raise Missing("a division by what may be zero")
    ends = [x / y for x in (a.low, a.high) for y in (b.low, b.high)]
    return _finite(Quantity(a.value / b.value, min(ends), max(ends), form=form))


def _finite(a: Quantity) -> Quantity:
    if not all(map(math.isfinite, a[:3])):
        raise Missing("a number too large")
    return a


def absolute(a: Quantity) -> Quantity:
    ends = (abs(a.low), abs(a.high))
    low = 0.0 if a.low <= 0 <= a.high else min(ends)
    return Quantity(abs(a.value), low, max(ends), a.doubts)


def compare(a: Quantity, symbol: str, b: Quantity) -> str:
    """HOLDS or FAILS only where the intervals don't straddle."""
    if symbol in (">", ">="):
        return compare(b, symbol.replace(">", "<"), a)
    if symbol == "<":
        yes, no = a.high < b.low, a.low >= b.high
    elif symbol == "<=":
        yes, no = a.high <= b.low, a.low > b.high
    else:
        same = a.low == a.high == b.low == b.high
        apart = a.high < b.low or b.high < a.low
        yes, no = (same, apart) if symbol == "==" else (apart, same)
    return HOLDS if yes else FAILS if no else UNCLEAR
