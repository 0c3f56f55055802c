"""Two runs beside each other in words: the same on the console and on the screen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from comparisons.differences import Difference, Differences
from comparisons.environments import condensed
from comparisons.observations import LEAST_RUNS
from comparisons.pairs import Side
from comparisons.render.values import NONE, number, quantity
from manifests.metrics import METRICS
from manifests.units import shown_in

_FIXED = ("cell", "quantity", "ratio", "95 % interval", "p", "n", "verdict", "flags")
_NAMED_CELLS = 5
_COUNTED = {"process": "", "run": " runs", "quadruple": " in turn"}
_TWO_RUNS = (
    "one run a side: a difference is one between these two runs, whatever made it; of "
    f"configurations {LEAST_RUNS} runs a side tell (compare a,b,c d,e,f), or processes measured in "
    "turn, A B B A"
)


def names_of(base: Side, new: Side) -> tuple[str, str]:
    """What the two columns of numbers are called: the runs, by their folders' names."""
    short = [", ".join(Path(name).name for name in side.names) for side in (base, new)]
    if short[0] == short[1]:
        short = [", ".join(side.names) for side in (base, new)]
    first, second = (f"run {name}" if name in _FIXED else name for name in short)
    return first, second


def header(names: tuple[str, str]) -> list[str]:
    """The columns of ``row``."""
    return [*_FIXED[:2], *names, *_FIXED[2:]]


def row(line: Difference) -> list[str]:
    """In the order of ``header``."""
    interval = f"{line.interval.low:.3f} to {line.interval.high:.3f}" if line.interval else NONE
    return [
        line.cell, line.quantity, value(line.base, line.metric), value(line.new, line.metric),
        ratio(line), interval, f"{line.p:.2g}" if line.p is not None else NONE,
        count(line), line.verdict, ", ".join(line.flagged),
    ]  # fmt: skip


def count(line: Difference) -> str:
    """``5/5``, of processes; ``3/3 runs``; ``4/4 in turn``, of processes measured A B B A."""
    return f"{line.n_base}/{line.n_new}{_COUNTED[line.observed]}"


def ratio(line: Difference) -> str:
    """Of new to base."""
    return f"{line.ratio:.3f}" if line.ratio is not None else NONE


def value(found: float, metric: str) -> str:
    """In the unit that people read: milliseconds, MiB, percent."""
    factor, shown = shown_in(METRICS[metric].unit)
    return quantity(found * factor, shown) if shown else number(found)


def environments(found: Differences) -> list[tuple[str, str, str]]:
    """What differs, the packages that one side alone has in one line for each environment."""
    return [(item.what, item.base, item.new) for item in condensed(found.environments)]


def summary(found: Differences, names: tuple[str, str]) -> list[str]:
    """How many verdicts of each kind, why some are none, and what only one side has."""
    counts = Counter(line.verdict for line in found.lines)
    lines = [
        ", ".join(f"{n} {verdict}" for verdict, n in sorted(counts.items())) or "no cell of both"
    ]
    reasons = Counter((line.verdict, line.why) for line in found.lines if line.why)
    lines += [f"{verdict}, {_times(n)}: {why}" for (verdict, why), n in reasons.items()]
    for name, titles in zip(names, (found.only_base, found.only_new), strict=True):
        if titles:
            left = len(titles) - _NAMED_CELLS
            more = f" and {left} more" if left > 0 else ""
            lines.append(f"only in {name}: {', '.join(titles[:_NAMED_CELLS])}{more}")
    base, new = names
    two_runs = any(line.observed == "process" and line.p is not None for line in found.lines)
    return [
        *lines,
        *([_TWO_RUNS] if two_runs else []),
        f"ratio = {new} / {base}; p is corrected for the number of comparisons "
        "(Benjamini-Hochberg); n counts processes, or runs",
    ]


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
