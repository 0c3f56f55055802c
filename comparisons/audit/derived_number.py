"""One printed number and the two that it comes from: what the digits of all three leave open."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple, TypeVar

from papers.rounding import decimals, plain

Way = Literal["rounded", "cut off"]
WAYS: tuple[Way, ...] = ("rounded", "cut off")

_FLOAT_ERROR = 2.0**-22
"""What a few operations in float32 may be off by, relatively: on the grid of the printed digits
they decide how a number is rounded, and whether 9 is cut off to 8.999.
"""
_STEPS = 16
_Number = TypeVar("_Number", Decimal, float)


class Derived(NamedTuple):
    """A printed number of a row and the two that it should follow from."""

    table: str
    place: str
    row: str
    label: str
    name: str
    printed: str
    first: str
    second: str
    unit: str

    @property
    def where(self) -> str:
        """Its place in words."""
        return f"{self.row}, {self.label}"

    @property
    def exact(self) -> Decimal:
        """From the printed numbers as they stand."""
        return derive(self.name, Decimal(plain(self.first)), Decimal(plain(self.second)))

    def follows(self, way: Way) -> bool:
        """Whether the printed parts as they stand give the printed number."""
        low, high = self._span(way)
        exact = float(self.exact)
        return low <= exact <= high

    def possible(self, way: Way) -> bool:
        """Whether numbers that print like the parts can give one that prints like this.

        How the parts lost their digits isn't known: 1.81 may have been 1.805 as well as 1.8199.
        """
        low, high = self._span(way)
        ends = [*self._all_from((-0.5, 1.0))]
        return max(ends) >= low and min(ends) <= high

    def by_chance(self, way: Way) -> float:
        """How often parts with more digits give what the printed parts give, at most.

        Of the numbers that parts may have been, evenly spread, rounded or cut off.
        """
        low, high = self._around(self._as_derived(way), way)
        spread = [(n + 0.5) / _STEPS for n in range(_STEPS)]
        ways_to_print = (spread, [step - 0.5 for step in spread])
        return max(
            sum(low <= found <= high for found in self._all_from(steps)) / _STEPS**2
            for steps in ways_to_print
        )

    def _all_from(self, units: Sequence[float]) -> Iterator[float]:
        """From the printed parts and so many units of their last digits, each with each."""
        seconds = _part(self.second, units)
        return (derive(self.name, a, b) for a in _part(self.first, units) for b in seconds)

    def _as_derived(self, way: Way) -> float:
        """What the printed parts print as."""
        unit = Decimal(1).scaleb(-decimals(self.printed))
        mode = "ROUND_HALF_UP" if way == "rounded" else "ROUND_DOWN"
        return float(self.exact.quantize(unit, rounding=mode))

    def _span(self, way: Way) -> tuple[float, float]:
        """What prints as this, both ends counted and a little more."""
        return self._around(float(plain(self.printed)), way)

    def _around(self, value: float, way: Way) -> tuple[float, float]:
        unit = 10.0 ** -decimals(self.printed)
        off = _FLOAT_ERROR * max(abs(value), 1.0 if self.name == "ratio" else 100.0)
        if way == "rounded":
            return value - unit / 2 - off, value + unit / 2 + off
        low, high = (value if value > 0 else value - unit), (value if value < 0 else value + unit)
        return low - off, high + off


def derive(name: str, first: _Number, second: _Number) -> _Number:
    """As comparisons.measured.derive. Raises the type's error for a division by zero."""
    if name == "ratio":
        return first / second
    if name == "drop":
        return first - second
    return 100 * (1 - second / first if name == "reduction" else second / first - 1)


def _part(text: str, units: Sequence[float]) -> list[float]:
    """The printed number and so many units of its last digit."""
    value, unit = float(plain(text)), 10.0 ** -decimals(text)
    return [value + unit * n for n in units]
