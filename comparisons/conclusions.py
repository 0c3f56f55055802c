"""What is told below a table: which row is best, and what a column goes with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from comparisons.rank_correlation import RankCorrelation, rank_correlation
from manifests.metrics import METRICS
from papers.published import Column, TableFile


class Line(Protocol):
    """A number of a table, in its column's unit, and what is told of it."""

    @property
    def key(self) -> dict[str, str]: ...
    @property
    def column(self) -> str: ...
    @property
    def measured(self) -> float | None: ...
    @property
    def flags(self) -> list[str]: ...


def conclusions(file: TableFile, lines: Sequence[Line]) -> list[str]:
    """Sentences without a full stop; none where nothing was measured."""
    columns = {column.name: column for column in file.column}
    told = [_best(columns[name], lines) for name in file.best]
    return [text for text in (*told, _correlations(file, columns, lines)) if text]


def _best(column: Column, lines: Sequence[Line]) -> str:
    found = [one for one in lines if one.column == column.name and one.measured is not None]
    if not found:
        return ""
    lower = METRICS[column.metric].better == "lower"
    best = (min if lower else max)(found, key=lambda one: one.measured or 0.0)
    where = " ".join(part for part in best.key.values() if part)
    told = f"Best {column.label}: {where}, {best.measured:.4g} {column.unit}"
    return f"{told} (flagged)" if best.flags else told


def _correlations(file: TableFile, columns: Mapping[str, Column], lines: Sequence[Line]) -> str:
    if not file.correlate:
        return ""
    first, *others = file.correlate
    by_column: dict[str, dict[tuple[str, ...], float]] = {}
    for line in lines:
        if line.measured is not None:
            by_column.setdefault(line.column, {})[tuple(line.key.values())] = line.measured
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
