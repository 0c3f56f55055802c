"""Accuracy or fidelity against latency as charts: a mark for each way, the front as a line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from comparisons.pareto import QUALITIES, Network, Way, preferred
from comparisons.points import Points
from comparisons.render import pareto
from comparisons.render.values import printable
from comparisons.report.charts import PALE, TOOLTIP, Chart, drawn, frame
from comparisons.results import Evidence
from comparisons.ways_to_run import networks

_HEIGHT = 360
_MOST, _MOST_PARTS = 6, 24
"""Charts, and networks with their ways, that one page has."""
_MORE = "and {:,} more: repliquant explain {} --pareto"
_MARGIN = 0.08
_ON, _BEHIND, _APART = "on the front", "beaten", "not compared"


class ParetoPart(NamedTuple):
    """One network on one batch size; without a ``chart`` where a report has enough of them."""

    title: str
    header: list[str]
    rows: list[list[str]]
    reasons: list[str]
    chart: Chart | None


def pareto_parts(evidence: Evidence) -> list[ParetoPart]:
    """By the first quality that is known of two ways. Nothing without a run."""
    if evidence.plan is None:
        return []
    found = preferred(networks(Points(evidence.plan.cells, evidence.manifests)))
    drawn_ones = _outermost(found)[:_MOST]
    shown = found[:_MOST_PARTS]
    parts = [_part(number, one, one in drawn_ones) for number, one in enumerate(shown)]
    left = len(found) - len(shown)
    if left:
        parts.append(ParetoPart(_MORE.format(left, evidence.study), [], [], [], None))
    return parts


def _outermost(found: Sequence[Network]) -> list[Network]:
    """Of each network the smallest and the largest batch size."""
    sizes: dict[tuple[str, ...], list[Network]] = {}
    for one in found:
        sizes.setdefault(tuple(one.key.values())[:-1], []).append(one)
    ends = [(of[0], of[-1]) for of in sizes.values()]
    return list({id(one): one for pair in ends for one in pair}.values())


def _part(number: int, network: Network, with_chart: bool) -> ParetoPart:
    chart = pareto_chart(f"pareto-{number}", network) if with_chart else None
    title = printable(pareto.title(network))
    return ParetoPart(
        title, pareto.header(network), pareto.rows(network), pareto.reasons(network), chart
    )


def pareto_chart(id: str, network: Network) -> Chart:
    """Of the ways that have both numbers."""
    ways = [way for way in network.ways if way.numbers is not None]
    front = ", ".join(way.title for way in network.front) or "none"
    about = f"{pareto.title(network)}: {len(ways)} ways; on the Pareto front: {front}"
    if any(way.reason for way in ways):
        about += "; pale where a measurement was disturbed"
    return drawn(id, _spec(network, ways), printable(about))


def _spec(network: Network, ways: Sequence[Way]) -> dict[str, Any]:
    rows = [_row(way, network.by) for way in ways]
    x = {
        "field": "latency", "type": "quantitative", "title": "latency (ms)",
        "scale": {"type": "log", "nice": False, "domain": _logarithmic(rows)},
    }  # fmt: skip
    unit = QUALITIES[network.by]
    y = {
        "field": "quality", "type": "quantitative", "title": f"{unit.label} ({unit.unit})",
        "scale": {"zero": False, "nice": False, "domain": _linear(rows)},
    }  # fmt: skip
    names = list(dict.fromkeys(row["toolchain"] for row in rows))
    colour = {"field": "toolchain", "type": "nominal", "scale": {"domain": names}}
    layers = [_front(x, y), *_intervals(rows, x, y, colour), _marks(x, y, colour), _names(x, y)]
    return {**frame(rows, height=_HEIGHT), "layer": layers}


def _front(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """As a stair: between two of its ways nothing better was measured."""
    return {
        "transform": [{"filter": f"datum.place === '{_ON}'"}],
        "mark": {"type": "line", "interpolate": "step-after", "color": "#888",
                 "strokeDash": [4, 4]},
        "encoding": {"x": x, "y": y, "order": {"field": "latency", "type": "quantitative"}},
    }  # fmt: skip


def _marks(x: dict[str, Any], y: dict[str, Any], colour: dict[str, Any]) -> dict[str, Any]:
    shape = {
        "field": "place", "type": "nominal",
        "scale": {"domain": [_ON, _BEHIND, _APART], "range": ["diamond", "circle", "cross"]},
    }  # fmt: skip
    size = {"condition": {"test": f"datum.place === '{_ON}'", "value": 160}, "value": 60}
    return {
        "mark": {"type": "point", "filled": True, "tooltip": TOOLTIP},
        "encoding": {"x": x, "y": y, "color": colour, "shape": shape, "size": size, **PALE},
    }


def _names(x: dict[str, Any], y: dict[str, Any]) -> dict[str, Any]:
    """Of those on the front alone: names of all would lie on each other."""
    return {
        "transform": [{"filter": f"datum.place === '{_ON}'"}],
        "mark": {"type": "text", "align": "left", "dx": 9, "dy": 12, "fontSize": 11,
                 "color": "currentColor"},
        "encoding": {"x": x, "y": y, "text": {"field": "what"}},
    }  # fmt: skip


def _intervals(
    rows: Sequence[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], colour: dict[str, Any]
) -> list[dict[str, Any]]:
    """Both ways, where there are some."""
    layers = []
    for low, high, along, across in (("fast", "slow", "x", y), ("low", "high", "y", x)):
        if any(low in row for row in rows):
            ends = {along: {"field": low, "type": "quantitative"}, f"{along}2": {"field": high}}
            other = "y" if along == "x" else "x"
            layers.append(
                {
                    "mark": {"type": "rule", "strokeWidth": 1},
                    "encoding": {**ends, other: across, "color": colour},
                }
            )
    return layers


def _row(way: Way, by: str) -> dict[str, Any]:
    assert way.numbers is not None
    row: dict[str, Any] = {
        "what": printable(pareto.technique(way)), "toolchain": printable(way.framework),
        "latency": way.numbers.latency_ms, "quality": way.numbers.quality, "judged by": by,
        "place": _ON if way.front else _APART if way.reason else _BEHIND,
        "remark": printable(pareto.remark(way)), "pale": bool(way.reason),
        "really ran": printable(pareto.proof(way)), "processes": way.latency.n,
    }  # fmt: skip
    if way.latency_ends is not None:
        row |= {"fast": way.latency_ends.low, "slow": way.latency_ends.high}
    if way.quality_ends is not None:
        row |= {"low": way.quality_ends.low, "high": way.quality_ends.high}
    return row


def _logarithmic(rows: Sequence[dict[str, Any]]) -> list[float]:
    """With room for the names at the right."""
    ends = [row[name] for row in rows for name in ("latency", "fast", "slow") if name in row]
    return [min(ends) / 1.1, max(ends) * 1.3]


def _linear(rows: Sequence[dict[str, Any]]) -> list[float]:
    ends = [row[name] for row in rows for name in ("quality", "low", "high") if name in row]
    room = _MARGIN * (max(ends) - min(ends)) or 1.0
    return [min(ends) - room, max(ends) + room]
