"""What is told below a table: which row is best, and what a column goes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from comparisons.rank_correlation import RankCorrelation, rank_correlation
from manifests.metrics import METRICS
from papers.published import Column, TableFile


class MeasuredCell(NamedTuple):
    """A number of a table, in its column's unit; ``row`` has the values of its key."""

    row: tuple[str, ...]
    column: str
    value: float | None
    flagged: bool = False


def conclusions(file: TableFile, cells: Sequence[MeasuredCell]) -> list[str]:
    """Sentences without a full stop; none where nothing was measured."""
    columns = {column.name: column for column in file.column}
    told = [_best(columns[name], cells) for name in file.best]
    return [text for text in (*told, _correlations(file, columns, cells)) if text]


def _best(column: Column, cells: Sequence[MeasuredCell]) -> str:
    found = [cell for cell in cells if cell.column == column.name and cell.value is not None]
    if not found:
        return ""
    lower = METRICS[column.metric].better == "lower"
    best = (min if lower else max)(found, key=lambda cell: cell.value or 0.0)
    where = " ".join(part for part in best.row if part)
    told = f"Best {column.label}: {where}, {best.value:.4g} {column.unit}"
    return f"{told} (flagged)" if best.flagged else told


def _correlations(
    file: TableFile, columns: Mapping[str, Column], cells: Sequence[MeasuredCell]
) -> str:
    if not file.correlate:
        return ""
    first, *others = file.correlate
    by_column: dict[str, dict[tuple[str, ...], float]] = {}
    for cell in cells:
        if cell.value is not None:
            by_column.setdefault(cell.column, {})[cell.row] = cell.value
    told = []
    for other in others:
        rows = [row for row in by_column.get(first, {}) if row in by_column.get(other, {})]
        if len(rows) > 1:
            sides = ([by_column[name][row] for row in rows] for name in (first, other))
            told.append(f"{columns[other].label} {_told(rank_correlation(*sides))}")
    if not told:
        return ""
    return f"Kendall's tau of the {columns[first].label} with {', '.join(told)} (p exact)"


def _told(found: RankCorrelation) -> str:
    p = "" if found.p is None else f", p = {found.p:.2g}"
    return f"{found.tau:.2f} ({found.rows} rows{p})"
