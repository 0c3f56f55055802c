"""Derived columns: each number recomputed from the printed ones, with the rounding it has."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from comparisons.audit.findings import Finding
from papers.audit import Sure
from papers.published import Column, Printed, PublishedRow, PublishedTable
from papers.rounding import MODES, Mode, decimals, plain, printed_as, rounding

_UNROUNDED = "it may have been computed from numbers with more digits than are printed"


class Derived(NamedTuple):
    """A printed number and the two that it should follow from."""

    table: str
    place: str
    where: str
    name: str
    printed: str
    first: str
    second: str
    unit: str

    @property
    def exact(self) -> Decimal:
        """From the printed numbers as they stand."""
        return derive(self.name, Decimal(plain(self.first)), Decimal(plain(self.second)))

    def follows(self, mode: Mode) -> bool:
        """Whether the printed number is ``exact`` in that way of rounding."""
        return printed_as(self.exact, decimals(self.printed), mode) == Decimal(plain(self.printed))

    def possible(self) -> bool:
        """Whether numbers that print like these two can give one that prints like this."""
        ends = [
            float(derive(self.name, Decimal(repr(a)), Decimal(repr(b))))
            for a in rounding(self.first)
            for b in rounding(self.second)
        ]
        unit = 10.0 ** -decimals(self.printed)
        value = float(plain(self.printed))
        return max(ends) >= value - unit / 2 and min(ends) < value + unit


def derive(name: str, first: Decimal, second: Decimal) -> Decimal:
    """As comparisons.measured.derive, exactly. Raises decimal's errors for a division by zero."""
    if name == "ratio":
        return first / second
    return {"reduction": 1 - second / first, "increase": second / first - 1}[name] * 100


def derived_numbers(published: Sequence[PublishedTable]) -> list[Derived]:
    """Every printed number of a derived column whose parts are printed too."""
    found = []
    for table in published:
        for column in table.file.column:
            if column.derive:
                found += [one for row in table.rows for one in _numbers(table, column, row)]
    return found


def _numbers(table: PublishedTable, column: Column, row: PublishedRow) -> list[Derived]:
    ((name, operands),) = column.derive.items()
    first, second = (row.numbers[part] for part in column.published_from or operands)
    printed = row.numbers[column.name]
    if not all(map(_certain, (printed, first, second))) or not first.value or not second.value:
        return []
    key = ", ".join(f"{name} {value}" for name, value in row.key.items())
    where = f"{table.file.name}, {key}, {column.label}"
    place, unit = table.file.place, column.printed_unit or column.unit
    return [Derived(table.file.id, place, where, name, printed.text, first.text, second.text, unit)]


def _certain(number: Printed) -> bool:
    return number.value is not None and not number.text.startswith("~")


def convention(numbers: Sequence[Derived]) -> Mode | None:
    """How a paper rounds what it derives from its printed numbers.

    None where several don't follow from them in any one way: it derived them from numbers with
    more digits, and only what no digits could give is an error then.
    """
    matches = {mode: sum(number.follows(mode) for number in numbers) for mode in MODES}
    best = max(matches, key=lambda mode: matches[mode])
    few = max(1, len(numbers) // 50)
    return best if len(numbers) - matches[best] <= few else None


def audit_derived(published: Sequence[PublishedTable]) -> tuple[list[Finding], int, list[str]]:
    """Findings, how many numbers were recomputed, and how the paper rounds."""
    numbers = derived_numbers(published)
    if not numbers:
        return [], 0, []
    mode = convention(numbers)
    found = [finding for number in numbers for finding in _judge(number, mode)]
    how = f"from the printed numbers, {mode}" if mode else "from numbers with more digits"
    return found, len(numbers), [f"{len(numbers)} derived numbers are computed {how}"]


def _judge(number: Derived, mode: Mode | None) -> list[Finding]:
    possible = number.possible()
    if possible and (mode is None or number.follows(mode)):
        return []
    exact = printed_as(number.exact, decimals(number.printed) + 2, "rounded")
    rule = f"{number.name} of {number.first} and {number.second} is {exact}"
    sure: Sure = "likely" if possible else "certain"
    where = f"{number.where}: printed {number.printed} {number.unit}"
    if possible and mode is not None:
        rule += f"; the paper's other derived numbers are {mode}"
    return [
        Finding(
            f"derived-{number.table}", "derived", number.place, rule, [where], sure,
            _UNROUNDED if possible else "",
        )
    ]  # fmt: skip
