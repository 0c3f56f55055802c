"""The figures of the paper as charts: a panel beside the other, published beside measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from comparisons.figure_points import MEASURED, PUBLISHED, FigurePoint, figure_points
from comparisons.number_flags import disqualifying
from comparisons.render.values import printable, quantity
from comparisons.report.charts import PALE, TOOLTIP, WIDTH, Chart, drawn, frame
from comparisons.results import Evidence
from papers.figures import Figure

_MOST_BESIDE = 3
_HEIGHT = 260
_GAP = 40
_SHAPES = {PUBLISHED: "circle", MEASURED: "diamond"}
_DASHES = {PUBLISHED: [5, 4], MEASURED: [1, 0]}


class FigurePart(NamedTuple):
    """``panels`` are empty where there is no number to draw; ``flags`` are those of all points."""

    id: str
    title: str
    notes: list[str]
    panels: list[tuple[str, Chart]]
    flags: list[str]


def figure_parts(evidence: Evidence) -> list[FigurePart]:
    """In the order of the paper."""
    tables = {table.file.id: table.file for table in evidence.published}
    shown = {comparison.id: comparison for comparison in evidence.comparisons}
    return [
        _part(figure, figure_points(figure, tables[figure.table], shown[figure.table]))
        for figure in evidence.figures
        if figure.table in shown
    ]


def _part(figure: Figure, points: Sequence[FigurePoint]) -> FigurePart:
    names = list(dict.fromkeys(point.panel for point in points))
    panels = [
        (name, _panel(figure, number, name, points, len(names)))
        for number, name in enumerate(names)
    ]
    sources = {point.source for point in points}
    notes = [figure.note] if figure.note else []
    notes += [] if MEASURED in sources else ["nothing that it shows was measured in this run"]
    flags = sorted({name for point in points for name in point.flagged})
    return FigurePart(figure.id, f"{figure.title} ({figure.place})", notes, panels, flags)


def _panel(
    figure: Figure, number: int, name: str, every: Sequence[FigurePoint], panels: int
) -> Chart:
    points = [point for point in every if point.panel == name]
    width = WIDTH if panels == 1 else WIDTH // min(panels, _MOST_BESIDE) - _GAP
    across = all(point.along.isdigit() for point in points)
    spec = _across(figure, points, every, width) if across else _down(figure, points, every, width)
    sources = " and ".join(s for s in (PUBLISHED, MEASURED) if any(p.source == s for p in points))
    about = f"{figure.title}{f', {name}' if name else ''}: {sources}, {_values_in_words(points)}"
    return drawn(f"{figure.id}-{number}", spec, printable(about))


def _values_in_words(points: Sequence[FigurePoint]) -> str:
    """The same for readers who listen to it, as far as it can be said in a sentence."""
    low, high = (end(point.value for point in points) for end in (min, max))
    return (
        f"{len(points)} values from {quantity(low, '').strip()} to {quantity(high, points[0].unit)}"
    )


def _across(
    figure: Figure, points: Sequence[FigurePoint], every: Sequence[FigurePoint], width: int
) -> dict[str, Any]:
    """Numbers from left to right, a line for each series."""
    order = sorted({point.along for point in every}, key=int)
    place = {
        "field": "along", "type": "ordinal", "sort": order,
        "title": printable(figure.along).replace("_", " "),
        "axis": {"labelAngle": 0}, "scale": {"domain": order},
    }  # fmt: skip
    value = {"field": "value", "type": "quantitative", **_scale(figure, every)}
    colour, dash = _colour(every), _by_source(_DASHES, every)
    layers = [
        {
            "mark": {"type": "line", "strokeWidth": 1.5},
            "encoding": {"x": place, "y": value, "color": colour, "strokeDash": dash},
        },
        *_intervals("y", {"x": place, "color": colour}, points),
        _marks({"x": place, "y": value, "color": colour}, every),
    ]
    return {**frame(_rows(points), width, _HEIGHT), "layer": layers}


def _down(
    figure: Figure, points: Sequence[FigurePoint], every: Sequence[FigurePoint], width: int
) -> dict[str, Any]:
    """Words from top to bottom, the series of each below one another."""
    place = {"field": "along", "type": "nominal", "sort": None, "title": None}
    beside = {"field": "line", "type": "nominal", "sort": _names(every)}
    value = {"field": "value", "type": "quantitative", **_scale(figure, every)}
    shared = {"y": place, "yOffset": beside, "color": _colour(every)}
    layers = [*_intervals("x", shared, points), _marks({**shared, "x": value}, every)]
    height = 26 * len({point.along for point in points}) * max(1, len(_names(every)) * 2 // 3)
    return {**frame(_rows(points), width, max(height, 60)), "layer": layers}


def _names(points: Sequence[FigurePoint]) -> list[str]:
    return list(dict.fromkeys(printable(point.line) for point in points))


def _colour(every: Sequence[FigurePoint]) -> dict[str, Any]:
    """One series has one colour in all panels."""
    names = _names(every)
    scale = {"domain": names}
    legend = {} if len(names) > 1 else {"legend": None}
    return {"field": "line", "type": "nominal", "scale": scale, **legend}


def _scale(figure: Figure, every: Sequence[FigurePoint]) -> dict[str, Any]:
    """The same in all panels."""
    ends = [end for p in every for end in (p.value, p.low, p.high) if end is not None and end > 0]
    low, high = min(ends), max(ends)
    logarithmic = figure.scale == "log"
    domain = [low / 1.15, high * 1.15] if logarithmic else [0, high * 1.05]
    return {
        "scale": {"type": figure.scale, "domain": domain, "nice": False},
        "title": every[0].unit,
    }


def _by_source(looks: dict[str, Any], every: Sequence[FigurePoint]) -> dict[str, Any]:
    """Told apart in the legend where there are both."""
    there = [source for source in looks if any(point.source == source for point in every)]
    scale = {"domain": there, "range": [looks[source] for source in there]}
    legend = {} if len(there) > 1 else {"legend": None}
    return {"field": "source", "type": "nominal", "scale": scale, **legend}


def _marks(encoding: dict[str, Any], every: Sequence[FigurePoint]) -> dict[str, Any]:
    shape = _by_source(_SHAPES, every)
    return {
        "mark": {"type": "point", "filled": True, "size": 70, "tooltip": TOOLTIP},
        "encoding": {**encoding, "shape": shape, **PALE},
    }


def _intervals(
    axis: str, encoding: dict[str, Any], points: Sequence[FigurePoint]
) -> list[dict[str, Any]]:
    if not any(point.low is not None for point in points):
        return []
    ends = {axis: {"field": "low", "type": "quantitative"}, f"{axis}2": {"field": "high"}}
    return [{"mark": {"type": "rule", "strokeWidth": 2}, "encoding": {**encoding, **ends}}]


def _rows(points: Sequence[FigurePoint]) -> list[dict[str, Any]]:
    return [_row(point) for point in points]


def _row(point: FigurePoint) -> dict[str, Any]:
    row: dict[str, Any] = {
        "along": printable(point.along), "line": printable(point.line), "source": point.source,
        "value": point.value, "unit": point.unit, "processes": point.n,
        "flags": ", ".join(point.flagged), "pale": bool(disqualifying(point.flagged)),
    }  # fmt: skip
    if point.low is not None and point.high is not None:
        row |= {"low": point.low, "high": point.high}
    return row
