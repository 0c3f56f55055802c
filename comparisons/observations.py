"""What counts as one observation where two sides are compared, and what follows from them.

Processes of one run share what that run was like: the machine's state, its neighbours, the memory
that it got. Of two runs they tell whether those two differ. Whether two configurations differ
takes runs as observations, or processes of both that were run in turn.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Literal, NamedTuple

from comparisons.intervals import FEW, Interval, p_value, ratio_interval, varies
from comparisons.pairs import Pair, Process
from comparisons.quadruples import Timed, contrast, quadruples

Unit = Literal["process", "run", "quadruple"]

LEAST_RUNS = 3
TWO_RUNS = "these two runs differ"
"""What a difference says where each side is one run."""
ONE_PROCESS = "only one process on a side; give three runs a side: compare a,b,c d,e,f"
FEW_RUNS = (
    f"runs are the observations here, and a side has fewer than {LEAST_RUNS}; give three a side, "
    "or measure in turn, A B B A, twice"
)
NO_SPREAD = "no spread to judge by: all processes of a side read the same, and they are few"
APART = "processes ran on different nodes, and not in turn on each of them"
NO_RATIO = "readings of zero"
WITHIN = "the difference is within what {} differ by"


class Observed(NamedTuple):
    """``base`` and ``new`` have a value for each observation; of a quadruple two on each side.

    ``p`` and ``interval`` (of new / base) are None where there is nothing to judge by; ``why``
    then says so, and else why a difference would be none.
    """

    unit: Unit
    base: list[float]
    new: list[float]
    p: float | None
    interval: Interval | None
    why: str


def observe(pair: Pair) -> Observed:
    """By quadruples where the processes of both sides are such, else by runs, else by processes."""
    in_turn = _in_turn(pair)
    if in_turn is not None:
        return in_turn
    base, new = ({one.run for one in side} for side in (pair.base, pair.new))
    if len(base) == len(new) == 1:
        if len({_node(one) for one in (*pair.base, *pair.new)}) > 1:
            values = [pair.values(pair.base), pair.values(pair.new)]
            return Observed("process", values[0], values[1], None, None, APART)
        return _judged("process", pair.values(pair.base), pair.values(pair.new))
    values = [_by_run(pair, side) for side in (pair.base, pair.new)]
    if min(map(len, values)) < LEAST_RUNS:
        return Observed("run", values[0], values[1], None, None, FEW_RUNS)
    return _judged("run", *values)


def _in_turn(pair: Pair) -> Observed | None:
    sides = [
        [
            Timed(one.manifest.started_at, value, _node(one))
            for one, value in zip(side, pair.values(side), strict=True)
        ]
        for side in (pair.base, pair.new)
    ]
    blocks = quadruples(*sides)
    found = contrast(blocks) if blocks else None
    if found is None:
        return None
    base, new = ([one.value for one in side] for side in sides)
    return Observed("quadruple", base, new, found.p, found.interval, WITHIN.format("processes"))


def _node(process: Process) -> str:
    context = process.manifest.context
    return context.allocation.node if context and context.allocation else ""


def _by_run(pair: Pair, side: Sequence[Process]) -> list[float]:
    """The median of each run's processes."""
    found: dict[int, list[float]] = {}
    for one, value in zip(side, pair.values(side), strict=True):
        found.setdefault(one.run, []).append(value)
    return [statistics.median(values) for values in found.values()]


def _judged(unit: Unit, base: list[float], new: list[float]) -> Observed:
    p, interval = p_value(base, new), ratio_interval(base, new)
    return Observed(unit, base, new, p, interval, _why(unit, base, new, p, interval))


def _why(
    unit: Unit, base: list[float], new: list[float], p: float | None, interval: Interval | None
) -> str:
    if min(len(base), len(new)) < 2:
        return ONE_PROCESS
    if p is None or interval is None:
        return NO_RATIO
    if min(len(base), len(new)) < FEW and not (varies(base) and varies(new)):
        return NO_SPREAD
    return WITHIN.format("processes" if unit == "process" else "runs")
