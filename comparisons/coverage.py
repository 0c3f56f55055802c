"""How many of a paper's printed numbers a plan has cells for."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.measured import measure_place
from comparisons.points import Points
from manifests.plan import Plan
from papers.published import Column, PublishedRow, PublishedTable, TableFile


class Coverage(NamedTuple):
    """Printed numbers of a table, and those that planned cells answer."""

    table: str
    printed: int
    planned: int


def coverage(published: list[PublishedTable], plan: Plan) -> list[Coverage]:
    """One entry for each table that prints numbers."""
    points = Points(plan.cells, [])
    found = []
    for table in published:
        places = [
            (column, row)
            for row in table.rows
            for column in table.file.column
            if row.numbers[column.name].value is not None
        ]
        planned = sum(_is_planned(table.file, column, row, points) for column, row in places)
        if places:
            found.append(Coverage(table.file.id, len(places), planned))
    return found


def _is_planned(table: TableFile, column: Column, row: PublishedRow, points: Points) -> bool:
    """A derived number needs the cells of all columns that it derives from."""
    if not column.derive:
        return bool(measure_place(table, column, row.key, points).cells)
    by_name = {other.name: other for other in table.column}
    ((_, operands),) = column.derive.items()
    return all(_is_planned(table, by_name[name], row, points) for name in operands)
