"""Speedups and their factors as charts: what each step gains, on one logarithmic scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparisons.decomposition import Explanation
from comparisons.intervals import Interval
from comparisons.number_flags import disqualifying
from comparisons.render import speedups
from comparisons.render.values import printable
from comparisons.report.charts import MOST_ROWS, PALE, TOOLTIP, Chart, drawn, frame, logarithmic
from papers.ladders import PRECISION

TOTAL = "whole speedup"
_STEP = 15


def ladder_chart(id: str, title: str, shown: Sequence[Explanation]) -> Chart | None:
    """A row for each speedup, with a mark for the whole and one for each factor.

    None where there are too many rows for one chart.
    """
    if not shown or len(shown) > MOST_ROWS:
        return None
    points = [item.point for item in shown]
    same = {k: v for k, v in points[0].items() if all(p.get(k) == v for p in points)}
    rows = [row for item in shown for row in _rows(item, same)]
    about = (
        f"{title}: each speedup and its factors, 1 where nothing is gained, lines are intervals of "
        f"95 %; {PRECISION} is what fewer bits alone gain"
    )
    if any(row["pale"] for row in rows):
        about += "; pale where a measurement was disturbed"
    return drawn(id, _spec(rows, speedups.configuration(same)), printable(about))


def _rows(item: Explanation, same: Mapping[str, str]) -> list[dict[str, Any]]:
    """What all rows share isn't said of each."""
    own = {name: value for name, value in item.point.items() if name not in same}
    what = printable(f"{item.technique} {speedups.configuration(own)}".strip())
    common = {
        "what": what, "baseline": printable(item.baseline), "processes": item.n,
        "flags": ", ".join(item.flagged), "pale": bool(disqualifying(item.flagged)),
    }  # fmt: skip
    parts: list[tuple[str, float, Interval | None]] = [
        (one.kind, one.value, one.interval) for one in item.factors
    ]
    if item.total is not None:
        parts.insert(0, (TOTAL, item.total, item.interval))
    return [{**common, "part": kind, "times": v, **_ends(found)} for kind, v, found in parts]


def _ends(found: Interval | None) -> dict[str, float]:
    if found is None or found.low <= 0 or found.low == found.high:
        return {}
    return {"low": found.low, "high": found.high}


def _spec(rows: list[dict[str, Any]], of: str) -> dict[str, Any]:
    kinds = list(dict.fromkeys(row["part"] for row in rows))
    kinds.sort(key=lambda kind: (kind != TOTAL, kind != PRECISION))
    y = {"field": "what", "type": "nominal", "sort": None, "title": None, "axis": {"grid": True}}
    offset = {"field": "part", "type": "nominal", "sort": kinds}
    colour = {
        "field": "part", "type": "nominal", "scale": {"domain": kinds},
    }  # fmt: skip
    title = ["times as fast", *([printable(of)] if of else [])]
    x = {"type": "quantitative", "scale": logarithmic(rows, "times"), "title": title}
    shared = {"y": y, "yOffset": offset, "color": colour}
    nothing_gained = {
        "mark": {"type": "rule", "color": "#888", "strokeDash": [4, 4]},
        "encoding": {"x": {"datum": 1, "type": "quantitative"}},
    }
    points = {
        "mark": {"type": "point", "filled": True, "size": 60, "tooltip": TOOLTIP},
        "encoding": {"x": {"field": "times", **x}, **shared, **PALE},
    }
    layers = [nothing_gained, *_intervals(rows, shared), points]
    height = _STEP * len(kinds) * len({row["what"] for row in rows})
    return {**frame(rows, height=height), "layer": layers}


def _intervals(rows: list[dict[str, Any]], shared: dict[str, Any]) -> list[dict[str, Any]]:
    if not any("low" in row for row in rows):
        return []
    ends = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}}
    return [{"mark": {"type": "rule", "strokeWidth": 2}, "encoding": {**ends, **shared}}]
