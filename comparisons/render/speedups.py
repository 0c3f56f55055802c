"""Speedups taken apart, in words: the same on the console, in the report and on the screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comparisons.decomposition import Explanation
from comparisons.factors import Factor
from comparisons.intervals import Interval

HEADER = ["configuration", "technique", "baseline", "speedup", "factors", "n", "flags"]
_WORDED = ("model", "image_size", "batch_size", "framework", "device")
LEGEND = (
    "The speedup is the product of its factors. In brackets: intervals of 95 % over processes (n). "
    "In parentheses: each factor's share of the speedup's logarithm; it may be anything where the "
    "processes leave open whether there is a speedup at all. Factors joined by x can't be told "
    "apart from what is there."
)
ONE_PROCESS = "no interval: one process"
NO_INTERVAL = (
    f"n = 1: {ONE_PROCESS}. Some rung was measured by that alone; a tier with repeats gives "
    "intervals."
)


def row(item: Explanation) -> list[str]:
    """In the order of HEADER."""
    made = " · ".join(factor(one) for one in item.factors)
    n = str(item.n) if item.n else ""
    return [
        configuration(item.point), item.technique, item.baseline, speedup(item), made, n,
        ", ".join(item.flagged),
    ]  # fmt: skip


def configuration(point: Mapping[str, str]) -> str:
    """``resnet18 32 px batch 128 pytorch cpu``; what a paper doesn't say is left out."""
    size, batch = point.get("image_size"), point.get("batch_size")
    words = [
        point.get("model", ""),
        f"{size} px" if size else "",
        f"batch {batch}" if batch else "",
        point.get("framework", ""),
        point.get("device", ""),
    ]
    words += [f"{name} {value}" for name, value in point.items() if name not in _WORDED]
    return " ".join(word for word in words if word and word != "none")


def speedup(item: Explanation) -> str:
    """``2.54 [2.41, 2.66]``."""
    return "–" if item.total is None else f"{item.total:.2f}{interval(item.interval)}"


def factor(one: Factor) -> str:
    """``precision 2.54 [2.41, 2.66] (45 % [40 %, 50 %])``."""
    return f"{one.kind} {one.value:.2f}{interval(one.interval)}{share(one)}"


def share(one: Factor) -> str:
    """`` (45 % [40 %, 50 %])``; nothing where there is no speedup to have a share of."""
    if one.share is None:
        return ""
    return f" ({one.share:.0%}{share_ends(one)})"


def share_ends(one: Factor) -> str:
    """`` [40 %, 50 %]``, or that it may be anything; nothing without repeats."""
    ends = one.share_interval
    if ends is None:
        return "" if one.interval is None else ", may be anything"
    return f" [{ends.low:.0%}, {ends.high:.0%}]" if ends.low != ends.high else ""


def interval(found: Interval | None) -> str:
    """`` [2.41, 2.66]`` where there is one that isn't a point."""
    return f" [{found.low:.2f}, {found.high:.2f}]" if found and found.low != found.high else ""


def legend(shown: Sequence[Explanation]) -> list[str]:
    """What the columns mean, and how to get intervals where there are none."""
    return [LEGEND, *([NO_INTERVAL] if any(item.n == 1 for item in shown) else [])]


def plain(item: Explanation) -> dict[str, Any]:
    """For JSON. An interval of 95 % is null where a rung has one process only."""
    return {
        **item._asdict(),
        "interval": _ends(item.interval),
        "no_interval": "one process" if item.n == 1 else "",
        "factors": [
            {
                **one._asdict(),
                "interval": _ends(one.interval),
                "share_interval": _ends(one.share_interval),
            }
            for one in item.factors
        ],
        "rungs": [{"technique": name, "ms": value} for name, value in item.rungs],
    }


def _ends(found: Interval | None) -> list[float] | None:
    return list(found) if found else None
