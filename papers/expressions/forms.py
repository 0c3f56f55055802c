"""How a number follows from what processes measured: a function with its derivatives.

A quotient of measured numbers is a difference of their logarithms, and so is a percentage derived
from one. Where a number isn't of that kind, its derivatives say how far it moves (delta method).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, NamedTuple

Means = Mapping[Any, float]
"""The value of each series that is measured, by the series."""


class At(NamedTuple):
    """A form's value at given means.

    ``slopes`` are its derivatives by the logarithm of each series, none for a constant. With an
    ``offset``, the value less the offset is a product of powers of series.
    """

    value: float
    slopes: Mapping[Any, float]
    offset: float | None


class Constant(NamedTuple):
    """A number that is certain."""

    number: float

    def at(self, means: Means) -> At:
        return At(self.number, {}, None)


class Leaf(NamedTuple):
    """What one series measured."""

    series: Hashable

    def at(self, means: Means) -> At:
        value = means[self.series]
        return At(value, {self.series: value}, 0.0)


class Sum(NamedTuple):
    """Of two forms."""

    first: Form
    second: Form

    def at(self, means: Means) -> At:
        a, b = self.first.at(means), self.second.at(means)
        offset = None
        if not a.slopes or not b.slopes:
            whole, constant = (a, b) if a.slopes else (b, a)
            offset = None if whole.offset is None else whole.offset + constant.value
        return At(a.value + b.value, _both(a.slopes, 1.0, b.slopes, 1.0), offset)


class Product(NamedTuple):
    """Of two forms."""

    first: Form
    second: Form

    def at(self, means: Means) -> At:
        a, b = self.first.at(means), self.second.at(means)
        slopes = _both(a.slopes, b.value, b.slopes, a.value)
        if not a.slopes or not b.slopes:
            whole, constant = (a, b) if a.slopes else (b, a)
            offset = None if whole.offset is None else whole.offset * constant.value
        else:
            offset = 0.0 if a.offset == b.offset == 0 else None
        return At(a.value * b.value, slopes, offset)


class Quotient(NamedTuple):
    """Of two forms; raises ZeroDivisionError."""

    first: Form
    second: Form

    def at(self, means: Means) -> At:
        a, b = self.first.at(means), self.second.at(means)
        slopes = _both(a.slopes, 1 / b.value, b.slopes, -a.value / b.value**2)
        if not b.slopes:
            offset = None if a.offset is None else a.offset / b.value
        else:
            product = b.offset == 0 and (not a.slopes or a.offset == 0)
            offset = 0.0 if product else None
        return At(a.value / b.value, slopes, offset)


Form = Constant | Leaf | Sum | Product | Quotient


def negative(form: Form) -> Form:
    """Its additive inverse."""
    return Product(Constant(-1.0), form)


def series_of(form: Form) -> Iterator[Hashable]:
    """The series that it follows from; one may come more than once."""
    if isinstance(form, Leaf):
        yield form.series
    elif not isinstance(form, Constant):
        yield from series_of(form.first)
        yield from series_of(form.second)


def _both(
    a: Mapping[Any, float], by: float, b: Mapping[Any, float], other: float
) -> dict[Any, float]:
    found = {series: slope * by for series, slope in a.items()}
    for series, slope in b.items():
        found[series] = found.get(series, 0.0) + slope * other
    return found
