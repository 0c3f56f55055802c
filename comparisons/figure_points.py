"""What a figure of the paper shows: its published points, and those of a run beside them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from comparisons.comparison import PROTOCOL, Comparison, Line
from comparisons.contrasts import factor_interval
from comparisons.number_flags import NO_FLAGS, Flagged, merged
from manifests.metrics import METRICS
from papers.figures import Figure, FigureSeries
from papers.published import TableFile

PUBLISHED, MEASURED = "published", "measured"
TIMES = "×"


class FigurePoint(NamedTuple):
    """``low`` and ``high`` are the ends of the interval of 95 %, where there is one."""

    panel: str
    along: str
    line: str
    source: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    n: int = 0
    flagged: Flagged = NO_FLAGS


class _Value(NamedTuple):
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    flagged: Flagged = NO_FLAGS


_Row = Mapping[str, Line]


def figure_points(figure: Figure, table: TableFile, comparison: Comparison) -> list[FigurePoint]:
    """Published ones once, whatever the protocols; what has no number is left out."""
    found: list[FigurePoint] = []
    rates = {column.name for column in table.column if _higher_is_better(column.metric)}
    drawn = {series.column for series in figure.series}
    protocols = {
        line.key.get(PROTOCOL, "")
        for line in comparison.lines
        if line.column in drawn and line.measured is not None
    }
    for row in _rows(comparison.lines):
        for series in figure.series:
            if series.column in row and (not series.over or series.over in row):
                points = _points(figure, series, row, series.column in rates, len(protocols) > 1)
                found += [point for point in points if point not in found]
    return found


def _higher_is_better(metric: str) -> bool:
    return metric in METRICS and METRICS[metric].better == "higher"


def _rows(lines: Sequence[Line]) -> list[_Row]:
    found: dict[tuple[tuple[str, str], ...], dict[str, Line]] = {}
    for line in lines:
        found.setdefault(tuple(line.key.items()), {})[line.column] = line
    return list(found.values())


def _points(
    figure: Figure, series: FigureSeries, row: _Row, rate: bool, several_protocols: bool
) -> Iterator[FigurePoint]:
    line = row[series.column]
    protocol = line.key.get(PROTOCOL, "") if several_protocols else ""
    sources = {PUBLISHED: "", MEASURED: protocol}
    values = {PUBLISHED: _published(series, row, rate), MEASURED: _measured(series, row, rate)}
    several = [series.label] if len(figure.series) > 1 or not figure.lines else []
    for source, found in values.items():
        if found.value is not None and found.value > 0:
            words = [_of_key(figure.lines, line), *several, sources[source]]
            yield FigurePoint(
                panel=line.key.get(figure.panel, ""),
                along=line.key.get(figure.along, ""),
                line=" · ".join(word for word in words if word),
                source=source,
                value=found.value,
                unit=TIMES if series.over else line.unit,
                low=found.low,
                high=found.high,
                n=found.n,
                flagged=found.flagged,
            )


def _of_key(name: str, line: Line) -> str:
    """A bare number says what it counts."""
    value = line.key.get(name, "")
    return f"{name.replace('_', ' ')} {value}" if value.isdigit() else value


def _published(series: FigureSeries, row: _Row, rate: bool) -> _Value:
    line = row[series.column]
    if not series.over:
        return _Value(line.published)
    return _Value(_improvement(line.published, row[series.over].published, rate))


def _measured(series: FigureSeries, row: _Row, rate: bool) -> _Value:
    line = row[series.column]
    if not series.over:
        return _Value(line.measured, line.low, line.high, line.n, line.flagged)
    base = row[series.over]
    ends = factor_interval(
        {"base": -1, "new": 1} if rate else {"base": 1, "new": -1},
        {"base": _values(base), "new": _values(line)},
    )
    return _Value(
        _improvement(line.measured, base.measured, rate),
        ends.low if ends else None,
        ends.high if ends else None,
        min(line.n, base.n),
        merged([line.flagged, base.flagged]),
    )


def _improvement(new: float | None, base: float | None, rate: bool) -> float | None:
    if not new or not base:
        return None
    return new / base if rate else base / new


def _values(line: Line) -> list[float]:
    return [process.value for process in line.processes if process.value is not None]
