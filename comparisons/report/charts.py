"""Charts as Vega-Lite: drawn once as SVG, and alive where the page's script runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from comparisons.comparison import Comparison, Line
from comparisons.number_flags import disqualifying
from comparisons.render.values import printable
from manifests.cell import sha256_hex

VEGA_LITE = "6.4"
MOST_ROWS = 60
WIDTH = 1100
"""Of a drawn chart as wide as the page, in pixels; a live one has the width of its place."""
_ROW_HEIGHT = 22
_ENTRY = "window.vegaEmbed = vegaEmbed;"
_TEXT = "currentColor"
"""That of the page around the chart, in light and in dark."""
_LEGEND_ENTRY = 240
_CONFIG: dict[str, Any] = {
    "background": None,
    "font": "Liberation Sans, Arial, sans-serif",
    "axis": {
        "labelLimit": 400, "labelFontSize": 12, "titleFontSize": 12, "labelColor": _TEXT,
        "titleColor": _TEXT, "domainColor": _TEXT, "tickColor": _TEXT, "gridColor": "#8885",
    },
    "range": {
        "category": [
            "#4a86e8", "#d9730d", "#2f9e77", "#d64545", "#9a6ad6", "#b8860b", "#0c96b8", "#8a8f98",
        ],
    },
    "view": {"stroke": "transparent"},
}  # fmt: skip


_LEGEND: dict[str, Any] = {
    "orient": "top", "title": None, "labelColor": _TEXT, "labelFontSize": 12,
    "labelLimit": 220, "symbolBaseFillColor": _TEXT, "symbolBaseStrokeColor": _TEXT,
    "layout": {"top": {"direction": "vertical", "anchor": "start"}},
}  # fmt: skip
_RATIO = "measured / published"
_MARGIN = 1.1


class Chart(NamedTuple):
    """``spec`` is Vega-Lite, ``svg`` the same drawn, ``about`` what it shows, for all readers."""

    id: str
    about: str
    spec: dict[str, Any]
    svg: str


def draw(comparisons: Sequence[Comparison]) -> list[Chart]:
    """A chart for every table that has something measured and isn't too long for one."""
    found = []
    for comparison in comparisons:
        made = _spec(comparison)
        if made is not None:
            found.append(drawn(comparison.id, *made))
    return found


def drawn(id: str, spec: dict[str, Any], about: str) -> Chart:
    """The specification and its picture."""
    import vl_convert

    svg = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
    return Chart(id, about, spec, _named(svg, about))


def script(cache: Path | None = None) -> str:
    """Vega, Vega-Lite and vega-embed as one script; making it takes a second, so it is kept."""
    import importlib.metadata

    import vl_convert

    version = importlib.metadata.version("vl-convert-python")
    made_of = sha256_hex(f"{version} {VEGA_LITE} {_ENTRY}".encode())[:16]
    kept = cache / f"vega-{made_of}.js" if cache is not None else None
    if kept is not None and kept.is_file():
        return kept.read_text(encoding="utf-8")
    made: str = vl_convert.javascript_bundle(_ENTRY, vl_version=VEGA_LITE)
    if kept is not None:
        _keep(kept, made)
    return made


def _keep(path: Path, text: str) -> None:
    from manifests.files import write_atomically

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError:
        pass  # the next report makes it again


def _named(svg: str, about: str) -> str:
    """For readers who listen to it."""
    title = about.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg ", f'<svg role="img" aria-label="{title}" ', 1)


def _spec(comparison: Comparison) -> tuple[dict[str, Any], str] | None:
    title = printable(comparison.title)
    ratios = [line for line in comparison.lines if line.ratio is not None and line.ratio > 0]
    values = [line for line in comparison.lines if line.measured is not None and line.measured > 0]
    if ratios and len(ratios) <= MOST_ROWS:
        about = f"{title}: measured over published, 1 where they agree{_marked(ratios)}"
        return _ratio_spec([_ratio_row(line) for line in ratios]), about
    if values and len(values) <= MOST_ROWS and len({line.unit for line in values}) == 1:
        about = f"{title}: measured, in {values[0].unit}{_marked(values)}"
        return _value_spec([_value_row(line) for line in values], values[0].unit), about
    return None


def _label(line: Line) -> str:
    """With the flags for which a verdict can't rest on the number."""
    flags = ", ".join(disqualifying(line.flagged))
    mark = f" ({flags})" if flags else ""
    return printable(f"{' · '.join(line.key.values())} · {line.quantity}{mark}")


def _marked(lines: Sequence[Line]) -> str:
    flagged = any(disqualifying(line.flagged) for line in lines)
    return (
        "; pale where the measurement was disturbed, by the flag in parentheses" if flagged else ""
    )


def _flags(line: Line) -> dict[str, Any]:
    """Vega shows them with the number under the pointer."""
    return {"flags": ", ".join(line.flags), "pale": bool(disqualifying(line.flagged))}


def _ratio_row(line: Line) -> dict[str, Any]:
    row: dict[str, Any] = {
        "what": _label(line),
        "ratio": line.ratio,
        "quantity": printable(line.quantity),
        **_flags(line),
    }
    if line.low is not None and line.high is not None and line.published and line.low > 0:
        row |= {"low": line.low / line.published, "high": line.high / line.published}
    return row


def _value_row(line: Line) -> dict[str, Any]:
    group = printable(next(iter(line.key.values()), ""))
    row: dict[str, Any] = {
        "what": _label(line), "value": line.measured, "group": group, **_flags(line),
    }  # fmt: skip
    if line.low is not None and line.high is not None:
        row |= {"low": line.low, "high": line.high}
    return row


def _ratio_spec(rows: list[dict[str, Any]]) -> dict[str, Any]:
    colour = {"field": "quantity", "type": "nominal", "legend": None}
    axis = {"type": "quantitative", "scale": logarithmic(rows, "ratio"), "title": _RATIO}
    agreement = {
        "mark": {"type": "rule", "color": "#888", "strokeDash": [4, 4]},
        "encoding": {"x": {"datum": 1, "type": "quantitative"}},
    }
    points = {
        "mark": {"type": "point", "filled": True, "size": 70, "tooltip": TOOLTIP},
        "encoding": {"x": {"field": "ratio", **axis}, "y": _Y, "color": colour, **PALE},
    }
    return {**frame(rows), "layer": [agreement, *_intervals(rows, colour), points]}


def logarithmic(rows: list[dict[str, Any]], field: str) -> dict[str, Any]:
    """As wide as the values and their intervals; from a half to twice at least, so that what is
    nearly 1 looks so.
    """
    ends = [row[name] for row in rows for name in (field, "low", "high") if name in row]
    return {
        "type": "log", "nice": False,
        "domain": [min(0.5, *ends) / _MARGIN, max(2.0, *ends) * _MARGIN],
    }  # fmt: skip


def _value_spec(rows: list[dict[str, Any]], unit: str) -> dict[str, Any]:
    bars = {
        "mark": {"type": "bar", "tooltip": TOOLTIP, "height": {"band": 0.7}},
        "encoding": {
            "x": {"field": "value", "type": "quantitative", "title": unit},
            "y": _Y,
            "color": {"field": "group", "type": "nominal", "legend": None},
            **PALE,
        },
    }
    return {**frame(rows), "layer": [bars, *_intervals(rows, {"value": _TEXT})]}


TOOLTIP = {"content": "data"}
PALE = {"opacity": {"condition": {"test": "datum.pale", "value": 0.45}, "value": 1}}
_Y = {"field": "what", "type": "nominal", "sort": None, "title": None}


def _intervals(rows: list[dict[str, Any]], colour: dict[str, Any]) -> list[dict[str, Any]]:
    """A line from end to end; none where there is no interval at all, which Vega warns of."""
    if not any("low" in row for row in rows):
        return []
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    mark = {"type": "rule", "strokeWidth": 2}
    return [{"mark": mark, "encoding": {**ends, "y": _Y, "color": colour}}]


def frame(
    rows: list[dict[str, Any]], width: int = WIDTH, height: int | None = None
) -> dict[str, Any]:
    """What all charts share; ``what`` of the rows stands one below the other without a height."""
    if height is None:
        height = _ROW_HEIGHT * len({row["what"] for row in rows})
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "config": {**_CONFIG, "legend": {**_LEGEND, "columns": max(1, width // _LEGEND_ENTRY)}},
        "width": width,
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "data": {"values": rows},
    }


def embedded(spec: dict[str, Any]) -> str:
    """JSON that can stand inside a script element: nothing in it ends the element."""
    text = msgspec.json.encode(spec).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
