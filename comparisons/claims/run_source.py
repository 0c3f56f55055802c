"""The tables that expressions are evaluated on, with the numbers of a run."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from comparisons.claims.atoms import interval
from comparisons.claims.sources import Tables, headings_of
from comparisons.comparison import Comparison, Line
from comparisons.image_answers import answers_of
from comparisons.intervals import share_interval
from comparisons.number_flags import disqualifying
from comparisons.sequential.looks import FIRST, last_look
from comparisons.sequential.partners import Process, Series, shared
from manifests.manifest import Manifest
from manifests.metrics import is_exact
from manifests.units import UNITS
from papers.expressions import Missing, Quantity, Row
from papers.expressions import quantities as q
from papers.expressions.forms import Leaf
from papers.expressions.quantities import Doubts, disturbed
from papers.published import Column, PublishedTable

_Values = dict[str, Quantity | str]


class _Asked(NamedTuple):
    """What is read of the same manifests: two columns that ask the same have one series."""

    cells: tuple[str, ...]
    column: tuple[object, ...]


class _AllSeries:
    """Each series once, however many tables show it, and what test images were answered."""

    def __init__(self, manifests: Mapping[str, Manifest]) -> None:
        self.manifests = manifests
        self._known: dict[_Asked, Series] = {}

    def of(self, column: Column, processes: Sequence[Process]) -> Series:
        asked = _Asked(
            tuple(process.cell for process in processes),
            (column.metric, column.source, tuple(column.share), column.per_item, column.skip,
             column.total, column.unit),
        )  # fmt: skip
        return self._known.setdefault(asked, Series(processes))


def measured_source(
    published: Sequence[PublishedTable],
    comparisons: Sequence[Comparison],
    manifests: Mapping[str, Manifest] | None = None,
) -> Tables:
    """A run's numbers, each with how it follows from its processes.

    One that stands beside several rows, which only labels tell apart, is a number of none of them.
    """
    by_id = {table.file.id: table for table in published}
    every = _AllSeries(manifests or {})
    tables = {one.id: _rows(one, by_id[one.id], every) for one in comparisons}
    files = [table.file for table in published]
    absent = {
        file.id: file.experiment for file in files if file.experiment and file.id not in tables
    }
    return Tables(tables, headings_of(published, printed=False), absent)


def _rows(comparison: Comparison, table: PublishedTable, every: _AllSeries) -> list[Row]:
    lines = _one_protocol(comparison.lines)
    shared_by = _shared(lines, table.file.labels)
    by_row: dict[tuple[str, ...], dict[str, Line]] = {}
    for line in lines:
        by_row.setdefault(tuple(line.key.values()), {})[line.column] = line
    rows = []
    for of_row in by_row.values():
        values = _values(of_row, table.file.column, every)
        for line in of_row.values():
            why = shared_by.get(_place(line, table.file.labels))
            if why:
                values[line.column] = why
        rows.append(Row(next(iter(of_row.values())).key, values, comparison.id))
    return rows


def _values(lines: Mapping[str, Line], columns: Sequence[Column], every: _AllSeries) -> _Values:
    """A comparison leaves out columns that a row has no cells for."""
    values: _Values = {column.name: "no such cell" for column in columns}
    for column in sorted(columns, key=lambda column: bool(column.derive)):
        line = lines.get(column.name)
        if line is None:
            continue
        if line.measured is None:
            values[column.name] = line.state
        elif column.derive:
            values[column.name] = _derived(column, line.measured, values)
        else:
            values[column.name] = _measured(column, line, line.measured, every)
    return values


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


def _measured(column: Column, line: Line, value: float, every: _AllSeries) -> Quantity:
    if is_exact(column.metric):
        doubts = _doubts(line)
        return disturbed(value, doubts) if doubts else q.exactly(value)
    if line.images:
        return _of_images(column, line, value, every.manifests)
    series = every.of(column, line.processes)
    if not series.positive:
        return _without_logarithms(line, value)
    form = Leaf(series)
    if not last_look(shared((series,)).processes):
        return disturbed(value, series.doubts, form)
    low, high = interval(form)
    return Quantity(value, min(low, value), max(high, value), form=form)


def _of_images(
    column: Column, line: Line, value: float, manifests: Mapping[str, Manifest]
) -> Quantity:
    """As sure as the number of test images allows, and as repeats agree."""
    doubts = _doubts(line)
    if doubts:
        return disturbed(value, doubts)
    factor = UNITS[column.unit].factor
    ends = share_interval(value / factor * line.images, line.images)
    lows, highs = [value, ends.low * factor], [value, ends.high * factor]
    if line.low is not None and line.high is not None:
        lows, highs = [*lows, line.low], [*highs, line.high]
    answers = answers_of(column, line.processes, value, manifests)
    return Quantity(value, min(lows), max(highs), answers=answers)


def _without_logarithms(line: Line, value: float) -> Quantity:
    doubts = _doubts(line)
    if doubts or line.low is None or line.high is None or line.n < FIRST:
        return disturbed(value, doubts)
    return Quantity(value, min(line.low, value), max(line.high, value))


def _doubts(line: Line) -> Doubts:
    """The flags that forbid a verdict on a number, each with the cells that carry it."""
    return frozenset(
        (name, cell) for name, cells in disqualifying(line.flagged).items() for cell in cells
    )


def _derived(column: Column, value: float, values: Mapping[str, Quantity | str]) -> Quantity | str:
    ((name, operands),) = column.derive.items()
    parts = [values[operand] for operand in operands]
    told = next((part for part in parts if isinstance(part, str)), None)
    if told is not None:
        return told
    first, second = (part for part in parts if isinstance(part, Quantity))
    try:
        found = _derivation(name, first, second)
    except Missing as missing:
        return str(missing)
    if not math.isfinite(found.low) or not math.isfinite(found.high):
        return disturbed(value, found.doubts, found.form)
    if found.form is not None:
        low, high = interval(found.form)
        found = found._replace(low=low, high=high)
    return found._replace(value=value, low=min(found.low, value), high=max(found.high, value))


def _derivation(name: str, first: Quantity, second: Quantity) -> Quantity:
    """As comparisons.measured.derive, of numbers that may lie anywhere in their intervals."""
    if name == "drop":
        return q.subtract(first, second)
    if name == "ratio":
        return q.divide(first, second)
    change = q.add(q.divide(second, first), q.exactly(-1))
    return q.multiply(change, q.exactly(-100 if name == "reduction" else 100))
