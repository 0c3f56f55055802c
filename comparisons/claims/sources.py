"""The tables that expressions are evaluated on: the paper's numbers, and those of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from comparisons.comparison import Comparison, Line
from comparisons.measured import derive
from comparisons.number_flags import disqualifying
from manifests.metrics import is_exact
from papers.expressions import Missing, Quantity, Row
from papers.expressions.quantities import Doubts, Heading, Headings, Titled, disturbed
from papers.published import Column, Printed, PublishedRow, PublishedTable
from papers.rounding import rounding

_APPROXIMATE = 0.1
"""What a printed ``~40`` may be off by, relatively."""


class Tables(NamedTuple):
    """Rows by table id: a Source of expressions."""

    tables: Mapping[str, Sequence[Row]]
    headings: Headings = MappingProxyType({})

    def rows(self, table: str) -> Sequence[Row]:
        """Raises Missing."""
        if table not in self.tables:
            raise Missing(f"no table {table}")
        return self.tables[table]


def published_source(published: Sequence[PublishedTable]) -> Tables:
    """The paper's numbers, each with what its printed digits leave open."""
    return Tables(
        {
            table.file.id: [_published_row(row, table.file.id) for row in table.rows]
            for table in published
        },
        _headings(published, printed=True),
    )


def _published_row(row: PublishedRow, table: str) -> Row:
    return Row(row.key, {name: _printed(number) for name, number in row.numbers.items()}, table)


def _headings(published: Sequence[PublishedTable], printed: bool) -> Headings:
    """A printed number keeps the unit that it was printed with."""
    return {
        table.file.id: Titled(
            table.file.name,
            {
                column.name: Heading(
                    column.label, column.unit, (printed and column.printed_unit) or column.unit
                )
                for column in table.file.column
            },
        )
        for table in published
    }


def _printed(number: Printed) -> Quantity | str:
    if number.value is None:
        return {"oom": "oom: printed as OOM", "blank": "not printed"}.get(number.kind, "N/A")
    if number.text.startswith("~"):
        off = abs(number.value) * _APPROXIMATE
        return Quantity(number.value, number.value - off, number.value + off)
    low, high = rounding(number.text)
    return Quantity(number.value, low, high)


def measured_source(
    published: Sequence[PublishedTable], comparisons: Sequence[Comparison], single: float
) -> Tables:
    """A run's numbers with their intervals; those of one process are taken as ± ``single``.

    A number that carries a disqualifying flag may be anything. One that stands beside several rows,
    which only labels tell apart, is a number of none of them.
    """
    labels = {table.file.id: table.file.labels for table in published}
    columns = {
        (table.file.id, column.name): column for table in published for column in table.file.column
    }
    tables = {}
    for comparison in comparisons:
        rows: dict[tuple[str, ...], Row] = {}
        # A comparison leaves out columns that a row has no cells for.
        none = {name: "no such cell" for table, name in columns if table == comparison.id}
        lines = _one_protocol(comparison.lines)
        shared = _shared(lines, labels[comparison.id])
        for line in lines:
            column = columns[comparison.id, line.column]
            exact = _is_exact(column, comparison.id, columns)
            row = rows.setdefault(tuple(line.key.values()), Row(line.key, none, comparison.id))
            values = dict(row.values)
            own = _place(line, labels[comparison.id])
            values[line.column] = shared.get(own) or _measured(line, column, exact, single)
            rows[tuple(line.key.values())] = Row(line.key, values, comparison.id)
        tables[comparison.id] = list(rows.values())
    return Tables(tables, _headings(published, printed=False))


def _shared(lines: Sequence[Line], labels: Sequence[str]) -> dict[tuple[str, ...], str]:
    """Why a measured number decides nothing, by the place of cells that several rows share."""
    if not labels:
        return {}
    counts = Counter(_place(line, labels) for line in lines)
    why = f"cells have no {' and no '.join(labels)}: one measured number stands beside several rows"
    return {place: why for place, count in counts.items() if count > 1}


def _place(line: Line, labels: Sequence[str]) -> tuple[str, ...]:
    return (*(value for key, value in line.key.items() if key not in labels), line.column)


def _one_protocol(lines: Sequence[Line]) -> list[Line]:
    """Where cells ran in both protocols, the rigorous one decides; its rows have no such key."""
    rigorous = {_row(line) for line in lines if line.key.get("protocol") == "rigorous"}
    return [
        line._replace(key={k: v for k, v in line.key.items() if k != "protocol"})
        for line in lines
        if line.key.get("protocol", "rigorous") == "rigorous" or _row(line) not in rigorous
    ]


def _row(line: Line) -> tuple[str, ...]:
    return (*(value for key, value in line.key.items() if key != "protocol"), line.column)


def _is_exact(column: Column, table: str, columns: Mapping[tuple[str, str], Column]) -> bool:
    if not column.derive:
        return is_exact(column.metric)
    (operands,) = column.derive.values()
    return all(is_exact(columns[table, operand].metric) for operand in operands)


def _measured(line: Line, column: Column, exact: bool, single: float) -> Quantity | str:
    value = line.measured
    if value is None:
        return line.state
    doubts = _doubts(line)
    if doubts:
        return disturbed(value, doubts)
    if line.low is not None and line.high is not None:
        return Quantity(value, min(line.low, value), max(line.high, value))
    if exact:
        return Quantity(value, value, value)
    if not column.derive:
        low, high = sorted((value / (1 + single), value * (1 + single)))
        return Quantity(value, low, high)
    (name,) = column.derive
    return _derived(value, name, single)


def _doubts(line: Line) -> Doubts:
    """The flags that forbid a verdict on a number, each with the cells that carry it."""
    return frozenset(
        (name, cell) for name, cells in disqualifying(line.flagged).items() for cell in cells
    )


def _derived(value: float, name: str, single: float) -> Quantity:
    """What is derived moves with the ratio of its parts: the percentages too."""
    if name == "drop":
        return Quantity(value, value - 100 * single, value + 100 * single)
    ratio = {"ratio": value, "reduction": 1 - value / 100, "increase": 1 + value / 100}[name]
    second = [1 / ratio * off if name == "ratio" else ratio * off for off in _both(single)]
    low, high = sorted(derive(name, 1.0, one) or 0.0 for one in second)
    return Quantity(value, low, high)


def _both(single: float) -> tuple[float, float]:
    return 1 / (1 + single), 1 + single
