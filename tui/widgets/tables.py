"""What a list of rows shows: columns, fields with a sign of their own, and the order of rows."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

MEASURED_ROWS = 200
GAP = 2
LEAST = 8
_NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)")


class Column(NamedTuple):
    """``grow`` takes the width that the others leave; ``most`` bounds the width."""

    name: str
    right: bool = False
    grow: bool = False
    most: int = 40


class Field(NamedTuple):
    """A text with a sign of its own; ``tone`` names a colour, which is never the only sign."""

    text: str
    tone: str = ""


class Parts(NamedTuple):
    """Several fields in one column, nothing between them; ``said`` is the same for a reader of
    the text alone, and ``order`` what it is sorted by.
    """

    fields: tuple[Field, ...]
    said: str = ""
    order: float | None = None

    @property
    def text(self) -> str:
        return "".join(field.text for field in self.fields)


Cell = Field | str | Parts
Row = Sequence[Cell]


class Table(NamedTuple):
    """``row`` gives the row of an index; it is called for what is seen, and for a sample."""

    columns: Sequence[Column]
    size: int
    row: Callable[[int], Row]
    marked: Callable[[int], bool] = lambda index: False


EMPTY = Table((), 0, lambda index: ())


def text_of(cell: Cell) -> str:
    """What it says, for who reads or sorts it."""
    if isinstance(cell, Parts):
        return cell.said or cell.text
    return cell if isinstance(cell, str) else cell.text


def without(table: Table, hidden: Collection[str]) -> Table:
    """The table without some columns; one column stays whatever is hidden."""
    kept = [i for i, column in enumerate(table.columns) if column.name not in hidden]
    if not kept or len(kept) == len(table.columns):
        return table
    columns = [table.columns[i] for i in kept]
    if not any(column.grow for column in columns):
        columns[-1] = columns[-1]._replace(grow=not columns[-1].right)

    def row(index: int) -> Row:
        fields = table.row(index)
        return [fields[i] for i in kept if i < len(fields)]

    return Table(columns, table.size, row, table.marked)


def ordered(table: Table, column: str, reverse: bool) -> list[int]:
    """The indices of the rows by a column: numbers as numbers, what has none at the end."""
    names = [one.name for one in table.columns]
    if column not in names:
        return list(range(table.size))
    at = names.index(column)
    keys = [_key(table.row(index), at) for index in range(table.size)]
    told = [index for index, key in enumerate(keys) if key is not None]
    untold = [index for index, key in enumerate(keys) if key is None]
    return sorted(told, key=lambda index: keys[index] or _FIRST, reverse=reverse) + untold


_FIRST = (0, 0.0, "")


def _key(row: Row, at: int) -> tuple[int, float, str] | None:
    cell = row[at] if at < len(row) else ""
    if isinstance(cell, Parts) and cell.order is not None:
        return 0, cell.order, ""
    text = text_of(cell).strip().lstrip("~●○✗▶–?◌◦ ")
    if not text:
        return None
    found = _NUMBER.match(text)
    if found:
        return 0, float(found.group().replace(",", "")), text
    return 1, 0.0, text.casefold()


def widths(table: Table) -> list[int]:
    """The width of each column after its name and a sample of its fields, ``most`` at most."""
    step = max(1, table.size // MEASURED_ROWS)
    found = [len(column.name) for column in table.columns]
    for index in range(0, table.size, step):
        for position, field in enumerate(table.row(index)):
            text = field if isinstance(field, str) else field.text
            if position < len(found):
                found[position] = max(found[position], len(text))
    return [
        found[i] if column.grow else min(found[i], column.most)
        for i, column in enumerate(table.columns)
    ]


def shared(columns: Sequence[Column], wanted: Sequence[int], room: int) -> list[int]:
    """The width of each column in ``room``: those that grow share what the others leave.

    None gets more than it wants before each has that. What is left then is the last column's where
    that grows, else nobody's: a row would be torn apart, its name far from its numbers.
    """
    found = [LEAST if column.grow else width for column, width in zip(columns, wanted, strict=True)]
    free = room - sum(found) - GAP * max(0, len(found) - 1)
    grow = [i for i, column in enumerate(columns) if column.grow]
    for rank, i in enumerate(sorted(grow, key=lambda i: wanted[i])):
        still = len(grow) - rank
        more = min(max(0, wanted[i] - LEAST), max(0, free) // still)
        found[i] += more
        free -= more
    if free > 0 and columns and columns[-1].grow:
        found[-1] += free
    return found
