"""Derived columns: each number recomputed from the printed ones, with the rounding it has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from comparisons.audit.chance import at_least
from comparisons.audit.derived_number import WAYS, Derived, Way
from comparisons.audit.findings import Finding
from papers.audit import Sure
from papers.published import Column, Printed, PublishedRow, PublishedTable
from papers.rounding import decimals, printed_as

_UNROUNDED = "it may have been computed from numbers with more digits than are printed"
_OTHERWISE = "it may have been rounded in another way than the paper's other numbers"
_CHANCE = 0.0025
"""That a paper computed from its printed digits is taken for granted only where so many numbers
would follow from them by so little chance otherwise; with both ways to round, 0.5 %.
"""


def derived_numbers(published: Sequence[PublishedTable]) -> list[Derived]:
    """Every printed number of a derived column whose parts are printed too."""
    return [
        one
        for table in published
        for row in table.rows
        for column in table.file.column
        if column.derive
        for one in _numbers(table, column, row)
    ]


def _numbers(table: PublishedTable, column: Column, row: PublishedRow) -> list[Derived]:
    ((name, operands),) = column.derive.items()
    first, second = (row.numbers[part] for part in column.published_from or operands)
    printed = row.numbers[column.name]
    if not all(map(_certain, (printed, first, second))):
        return []
    if name != "drop" and not (first.value and second.value):
        return []
    key = ", ".join(f"{name} {value}" for name, value in row.key.items())
    return [
        Derived(
            table.file.id, table.file.place, f"{table.file.name}, {key}", column.label, name,
            printed.text, first.text, second.text, column.printed_unit or column.unit,
        )
    ]  # fmt: skip


def _certain(number: Printed) -> bool:
    return number.value is not None and not number.text.startswith("~")


def convention(numbers: Sequence[Derived]) -> Way | None:
    """How a paper rounds what it derives from its printed numbers; None where it may not do so.

    All of its numbers follow from the printed ones in that way; or all but a few, which are then
    errors, and of numbers with more digits so many would not have followed by chance.
    """
    for way in WAYS:
        if all(number.follows(way) for number in numbers):
            return way
    for way in WAYS:
        if _all_but_few(numbers, way) and _by_chance(numbers, way) <= _CHANCE:
            return way
    return None


def _all_but_few(numbers: Sequence[Derived], way: Way) -> bool:
    return sum(not number.follows(way) for number in numbers) <= _few(numbers)


def _few(numbers: Sequence[Derived]) -> int:
    return max(1, len(numbers) // 50)


def _by_chance(numbers: Sequence[Derived], way: Way) -> float:
    """How probably as many rows follow from numbers with more digits.

    The numbers of a row share parts and what was rounded off of them: they count as one.
    """
    rows = [list(found) for _, found in groupby(numbers, lambda number: number.row)]
    following = sum(all(number.follows(way) for number in row) for row in rows)
    return at_least(following, [min(one.by_chance(way) for one in row) for row in rows])


def _possible_way(numbers: Sequence[Derived]) -> Way | None:
    """How all numbers but a few can have come about, whatever digits were rounded off.

    None where they can't in one way, and where they can in either.
    """
    impossible = {way: sum(not one.possible(way) for one in numbers) for way in WAYS}
    if len(set(impossible.values())) == 1:
        return None
    best = min(WAYS, key=lambda way: impossible[way])
    return best if impossible[best] <= _few(numbers) else None


def audit_derived(published: Sequence[PublishedTable]) -> tuple[list[Finding], int, list[str]]:
    """Findings, how many numbers were recomputed, and how the paper rounds."""
    numbers = derived_numbers(published)
    if not numbers:
        return [], 0, []
    way = convention(numbers)
    general = way or _possible_way(numbers)
    found = [one for number in numbers for one in _judge(number, way, general)]
    return found, len(numbers), [_in_words(numbers, way)]


def _in_words(numbers: Sequence[Derived], way: Way | None) -> str:
    if way is None:
        return f"{len(numbers)} derived numbers are computed from numbers with more digits"
    following = sum(number.follows(way) for number in numbers)
    of_all = "" if following == len(numbers) else f"{following} of "
    return f"{of_all}{len(numbers)} derived numbers follow from the printed numbers, {way}"


def _judge(number: Derived, way: Way | None, general: Way | None) -> list[Finding]:
    """``way`` is how the paper computes from its printed numbers, ``general`` how it rounds."""
    ways = [one for one in WAYS if number.possible(one)]
    as_others = number.follows(way) if way else general is None or general in ways
    if ways and as_others:
        return []
    exact = printed_as(number.exact, decimals(number.printed) + 2, "rounded")
    rule = f"{number.name} of {number.first} and {number.second} is {exact}"
    if ways:
        rule += f"; the paper's other derived numbers are {general}"
    sure: Sure = "likely" if ways else "certain"
    benign = "" if not ways else _UNROUNDED if general in ways else _OTHERWISE
    where = f"{number.where}: printed {number.printed} {number.unit}"
    kind = f"derived-{number.table}"
    return [Finding(kind, "derived", number.place, rule, [where], sure, benign)]
