"""Accuracy or fidelity against latency, in words and as data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from comparisons.intervals import Interval
from comparisons.pareto import ITSELF, QUALITIES, Network, Way
from comparisons.render.speedups import configuration
from comparisons.render.values import NONE, number, one_line

FRONT, BEHIND, APART = "●", "○", "–"
_SHOWN = ("model", "image_size", "batch_size", "device")
LEGEND = (
    f"{FRONT} on the Pareto front: no other way here is at least as fast and at least as good, and "
    f"better in one of both; {APART} not compared, because of a flag. By medians of processes; in "
    "brackets intervals of 95 %, over processes and over test images."
)


def title(network: Network) -> str:
    """``mobilenet-v1 48 px batch 1 cpu: accuracy against latency``."""
    point = {name: network.key[name] for name in _SHOWN}
    if network.key["seed"] != "0":
        point["seed"] = network.key["seed"]
    if network.key["protocol"] != "rigorous":
        point["protocol"] = network.key["protocol"]
    point["dataset"] = network.key["dataset"]
    shown = configuration(point).replace(f"dataset {point['dataset']}", point["dataset"])
    return f"{shown}: {QUALITIES[network.by].label} against latency"


def header(network: Network) -> list[str]:
    """As ``row`` has them."""
    return ["front", "toolchain", "technique", "latency", QUALITIES[network.by].label, "really ran",
            "remark"]  # fmt: skip


def row(way: Way, by: str) -> list[str]:
    """Of a way that has both numbers."""
    return [
        sign(way), way.framework, technique(way), latency(way), quality(way, by), proof(way),
        remark(way),
    ]  # fmt: skip


def rows(network: Network) -> list[list[str]]:
    """Of all ways that have both numbers."""
    return [row(way, network.by) for way in network.ways if way.numbers is not None]


def sign(way: Way) -> str:
    """Whether it is on the front, behind it, or not compared."""
    return APART if way.reason else FRONT if way.front else BEHIND


def remark(way: Way) -> str:
    """What beats it, or keeps it from being compared."""
    beaten = f"beaten by {way.beaten_by}" if way.beaten_by else ""
    disturbed = f"{_processes(way.left_out)} left out: disturbed" if way.left_out else ""
    return one_line(way.reason) or "; ".join(part for part in (beaten, disturbed) if part)


def _processes(processes: int) -> str:
    """``1 process``, ``2 processes``."""
    return f"{processes} process{'es' if processes != 1 else ''}"


def technique(way: Way) -> str:
    """With its variant."""
    return f"{way.technique} {way.variant}".rstrip()


def latency(way: Way) -> str:
    """``1.42 ms [1.40, 1.45]``; a dash for none."""
    if way.latency.value is None:
        return NONE
    return f"{number(way.latency.value)} ms{_ends(way.latency_ends)}"


def quality(way: Way, by: str) -> str:
    """``98.3 % [96.4, 99.2]``; a dash for none."""
    if way.quality.value is None:
        return NONE
    if way.quality.work == ITSELF:
        return "itself"
    value = f"{number(way.quality.value)} {QUALITIES[by].unit}"
    where = f" {way.quality.work}" if way.quality.work else ""
    return f"{value}{_ends(way.quality_ends)}{where}"


def proof(way: Way) -> str:
    """``int8 97 % of the time``; a dash where nobody knows."""
    if not way.promised or way.share is None:
        return NONE
    return f"{way.promised} {100 * way.share:.0f} %{' by count' if way.by_count else ''}"


def reasons(network: Network) -> list[str]:
    """Why others have no number, a line a reason, with their names."""
    found: dict[str, list[str]] = {}
    for way in network.ways:
        if way.numbers is None:
            found.setdefault(one_line(way.reason), []).append(way.title)
    return [f"{_named(titles)}: {reason}" for reason, titles in found.items()]


def _named(titles: Sequence[str]) -> str:
    counts = Counter(titles)
    return ", ".join(f"{name} ({n})" if n > 1 else name for name, n in counts.items())


def _ends(ends: Interval | None) -> str:
    if ends is None or ends.low == ends.high:
        return ""
    return f" [{number(ends.low)}, {number(ends.high)}]"


def plain(network: Network) -> dict[str, Any]:
    """For ``--json``."""
    numbers = {name: int(network.key[name]) for name in ("image_size", "batch_size", "seed")}
    return {
        **network.key, **numbers, "by": network.by, "unit": QUALITIES[network.by].unit,
        "ways": [_plain(way) for way in network.ways],
    }  # fmt: skip


def _plain(way: Way) -> dict[str, Any]:
    return {
        "framework": way.framework,
        "technique": way.technique,
        "variant": way.variant,
        "trained_with": way.trained_with,
        "latency_ms": way.latency.value,
        "latency_interval_ms": list(way.latency_ends) if way.latency_ends else None,
        "processes": way.latency.n,
        "processes_left_out": way.left_out,
        "quality": way.quality.value,
        "quality_of": way.quality.work,
        "quality_interval": list(way.quality_ends) if way.quality_ends else None,
        "promised": way.promised,
        "share": way.share,
        "share_by": None if way.share is None else "count" if way.by_count else "time",
        "flags": sorted({*way.latency.flags, *way.quality.flags}),
        "front": way.front,
        "beaten_by": way.beaten_by,
        "reason": way.reason,
        "cells": list(dict.fromkeys([*way.latency.cells, *way.quality.cells])),
    }
