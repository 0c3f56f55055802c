"""The tables that expressions are evaluated on; here with the paper's own numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from papers.expressions import Missing, Quantity, Row
from papers.expressions.quantities import Heading, Headings, Titled
from papers.published import Printed, PublishedRow, PublishedTable
from papers.rounding import rounding

_NO_NUMBER = {"oom": "oom: printed as OOM", "blank": "the paper gives no number"}
_APPROXIMATE = 0.1
"""What a printed ``~40`` may be off by, relatively."""


class Tables(NamedTuple):
    """Rows by table id: a Source of expressions. ``experiments`` are those of tables left out."""

    tables: Mapping[str, Sequence[Row]]
    headings: Headings = MappingProxyType({})
    experiments: Mapping[str, str] = MappingProxyType({})

    def rows(self, table: str) -> Sequence[Row]:
        """Raises Missing."""
        if table in self.experiments:
            raise Missing(f"not run: --experiment {self.experiments[table]} adds it")
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
        headings_of(published, printed=True),
    )


def _published_row(row: PublishedRow, table: str) -> Row:
    return Row(row.key, {name: _printed(number) for name, number in row.numbers.items()}, table)


def headings_of(published: Sequence[PublishedTable], printed: bool) -> Headings:
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
        return {"oom": "oom: printed as OOM", "blank": "the paper gives no number"}.get(
            number.kind, "N/A"
        )
    if number.text.startswith("~"):
        off = abs(number.value) * _APPROXIMATE
        return Quantity(number.value, number.value - off, number.value + off)
    low, high = rounding(number.text)
    return Quantity(number.value, low, high)
