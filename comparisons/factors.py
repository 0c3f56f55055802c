"""What a speedup is the product of, each with its share and both with intervals."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from comparisons.contrasts import Processes, factor_interval, part_interval
from comparisons.intervals import Interval
from comparisons.predict_steps import OneStep
from papers.ladders import SPLITTING, Ladders, Node

NO_PROCESSES: Processes = {}
_ONE_STEP = "one step"


class Factor(NamedTuple):
    """``kind`` is one of KINDS, or several joined by " x " that can't be told apart.

    ``share`` is its part of the logarithm of the whole speedup, None where there is no speedup.
    The intervals are of 95 % over processes, None where a rung has one process only; that of the
    share also where the whole may be no speedup at all, so that a share of it may be anything.
    """

    kind: str
    value: float
    share: float | None
    interval: Interval | None = None
    share_interval: Interval | None = None


class _Rung(NamedTuple):
    """Its name in contrasts, what it changes, and its time; None where that isn't known."""

    name: str
    kind: str
    time: float | None


def take_apart(
    ladders: Ladders,
    node: Node,
    times: Mapping[Node, float],
    processes: Processes = NO_PROCESSES,
    whole: OneStep | None = None,
) -> list[Factor]:
    """The factors of the speedup of ``node`` over its ladder's root.

    ``times`` has any positive time per call. Needs those of both ends. ``processes`` has the times
    of each process by ``name_of``, where they are known. ``whole`` is the root's call in one step,
    where that call makes several of its batch: a rung of its own.
    """
    path = ladders.path_to(node)
    rungs = [_Rung(name_of(one), ladders.changes(one), times.get(one)) for one in path[1:]]
    if whole:
        rungs.insert(0, _Rung(_ONE_STEP, SPLITTING, whole.ms))
        processes = {**processes, _ONE_STEP: whole.values}
    root = _Rung(name_of(path[0]), "", times[path[0]])
    products, steps = _climbed(root, rungs)
    ends = {root.name: 1, name_of(node): -1}
    logarithm = math.log(times[path[0]] / times[node])
    return [
        Factor(
            name,
            value,
            _share(value, logarithm),
            factor_interval(steps[name], processes),
            part_interval(steps[name], ends, processes),
        )
        for name, value in products.items()
    ]


def _climbed(root: _Rung, rungs: list[_Rung]) -> tuple[dict[str, float], dict[str, Counter[str]]]:
    """Products and contrasts by kind; kinds between two rungs that have times are one."""
    products: dict[str, float] = {}
    steps: dict[str, Counter[str]] = {}
    below, time, kinds = root.name, root.time or 0.0, list[str]()
    for rung in rungs:
        kinds.append(rung.kind)
        if rung.time is not None:
            kind = " x ".join(dict.fromkeys(kinds))
            products[kind] = products.get(kind, 1.0) * time / rung.time
            steps.setdefault(kind, Counter()).update({below: 1, rung.name: -1})
            below, time, kinds = rung.name, rung.time, []
    return products, steps


def name_of(node: Node) -> str:
    """What contrasts call it."""
    return " ".join(node)


def _share(value: float, whole: float) -> float | None:
    """Part of the logarithm of the whole speedup; None where there is no speedup."""
    return math.log(value) / whole if abs(whole) > 1e-9 else None
