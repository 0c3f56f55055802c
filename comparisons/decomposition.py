"""Taking a speedup apart: batch splitting x calling convention x compiler x precision = total.

A ladder is a tree of ways to run one model. Each rung names the one it stands on and what
changes between the two; a speedup is the product of the steps from the root to its rung. Where
rungs in between were not measured (or, in a paper, not published), steps of different kinds
can't be told apart and their product is one factor.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from comparisons.contrasts import Processes, factor_interval, part_interval
from comparisons.intervals import Interval
from comparisons.measured import Measured, Points, measure_place
from comparisons.number_flags import NO_FLAGS, Flagged, merged
from comparisons.predict_steps import OneStep, in_one_step
from manifests.plan import Plan
from papers.ladders import KINDS, LADDERS, SPLITTING, path_to
from papers.published import Column, PublishedRow, PublishedTable, TableFile

NO_PROCESSES: Processes = {}
NOT_MEASURED: Mapping[str, Measured] = {}
_POINT = ("framework", "device", "image_size", "model", "batch_size")
_LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")


class Factor(NamedTuple):
    """``kind`` is one of KINDS, or several joined by " x " that can't be told apart.

    ``share`` is its part of the logarithm of the whole speedup, None where there is no speedup.
    The intervals are of 95 % over processes, None where a rung has one process only; that of the
    share also where the whole isn't certainly a speedup.
    """

    kind: str
    value: float
    share: float | None
    interval: Interval | None = None
    share_interval: Interval | None = None


class Explanation(NamedTuple):
    """One speedup: of ``technique`` over ``baseline``, both at ``point``.

    ``source`` is "published" with the table, or "measured" with the protocol. ``rungs`` are the
    techniques whose values were there, with milliseconds a call (0 where only ratios are known).
    ``state`` says why there is no total. ``interval`` is the total's, ``n`` the fewest processes
    behind a rung (0 for a paper's), ``flagged`` the flags of the rungs with their cells.
    """

    source: str
    point: dict[str, str]
    baseline: str
    technique: str
    total: float | None
    factors: list[Factor]
    rungs: list[tuple[str, float]]
    state: str = "ok"
    cells: tuple[str, ...] = ()
    interval: Interval | None = None
    n: int = 0
    flagged: Flagged = NO_FLAGS


def take_apart(
    framework: str,
    technique: str,
    times: Mapping[str, float],
    processes: Processes = NO_PROCESSES,
) -> list[Factor]:
    """The factors of the speedup of ``technique`` over its ladder's root.

    ``times`` has any positive time per call, by technique. Needs those of both ends.
    ``processes`` has the times of each process, where they are known.
    """
    path = path_to(framework, technique)
    products: dict[str, float] = {}
    steps: dict[str, Counter[str]] = {}
    below, kinds = path[0], []
    for rung in path[1:]:
        kinds.append(LADDERS[framework][rung].kind)
        if rung in times:
            name = " x ".join(dict.fromkeys(kinds))
            products[name] = products.get(name, 1.0) * times[below] / times[rung]
            steps.setdefault(name, Counter()).update({below: 1, rung: -1})
            below, kinds = rung, []
    ends = {path[0]: 1, technique: -1}
    whole = math.log(times[path[0]] / times[technique])
    return [
        Factor(
            name,
            value,
            _share(value, whole),
            factor_interval(steps[name], processes),
            part_interval(steps[name], ends, processes),
        )
        for name, value in products.items()
    ]


def explain_published(tables: list[PublishedTable]) -> list[Explanation]:
    """Every speedup over the ladder's root that the paper's own latencies and rates give."""
    found = []
    for table in tables:
        for point, times in _published_times(table).items():
            framework = dict(point)["framework"]
            for technique in times:
                root = path_to(framework, technique)[0]
                if technique != root and root in times:
                    source = f"published, {table.file.place.partition(',')[0]}"
                    found.append(_explanation(source, dict(point), technique, times))
    return found


def explain_measured(plan: Plan, points: Points) -> list[Explanation]:
    """Every speedup over the ladder's root among the plan's inference cells."""
    found = []
    for point, techniques in _planned_points(plan).items():
        fields = dict(point)
        framework = fields["framework"]
        measured = {t: _measured(fields, t, points) for t in techniques}
        times = {t: found.value for t, found in measured.items() if found.value}
        for technique in techniques:
            path = path_to(framework, technique)
            if technique == path[0] or path[0] not in techniques:
                continue
            states = [measured[end].state for end in (technique, path[0])]
            state = next((text for text in states if text != "ok"), "ok")
            source = f"measured, {fields['protocol']}"
            shown = {name: fields[name] for name in _POINT}
            rungs = {rung: measured[rung] for rung in path if rung in measured}
            explained = _explanation(source, shown, technique, times, state, rungs)
            whole = in_one_step(fields, path[0], points)
            found.append(_split(explained, whole) if whole and explained.total else explained)
    return found


def _split(explained: Explanation, whole: OneStep) -> Explanation:
    """With the batch's splitting as a factor of its own, ahead of what it was a part of."""
    first, *rest = explained.factors
    (root, root_ms), *above = explained.rungs
    value = root_ms / whole.ms
    logarithm = math.log(explained.total or 1.0)
    factors = [Factor(SPLITTING, value, None), Factor(first.kind, first.value / value, None), *rest]
    return explained._replace(
        factors=[f._replace(share=_share(f.value, logarithm)) for f in factors],
        rungs=[(root, root_ms), (f"{root} in one step", whole.ms), *above],
        cells=(*explained.cells, *whole.cells),
        flagged=merged([explained.flagged, whole.flagged]),
    )


def _share(value: float, whole: float) -> float | None:
    """Part of the logarithm of the whole speedup; None where there is no speedup."""
    return math.log(value) / whole if abs(whole) > 1e-9 else None


def _explanation(
    source: str,
    point: dict[str, str],
    technique: str,
    times: Mapping[str, float],
    state: str = "ok",
    measured: Mapping[str, Measured] = NOT_MEASURED,
) -> Explanation:
    framework = point["framework"]
    path = path_to(framework, technique)
    rungs = [(rung, times[rung]) for rung in path if rung in times]
    known = state == "ok"
    processes = {rung: found.values for rung, found in measured.items()}
    ends = {path[0]: 1, technique: -1}
    return Explanation(
        source=source,
        point=point,
        baseline=path[0],
        technique=technique,
        total=times[path[0]] / times[technique] if known else None,
        factors=take_apart(framework, technique, times, processes) if known else [],
        rungs=rungs,
        state=state,
        cells=tuple(cell for found in measured.values() for cell in found.cells),
        interval=factor_interval(ends, processes) if known else None,
        n=min((found.n for rung, found in measured.items() if rung in times), default=0),
        flagged=merged(found.flagged for found in measured.values()),
    )


_Point = tuple[tuple[str, str], ...]


def _published_times(table: PublishedTable) -> dict[_Point, dict[str, float]]:
    """Milliseconds a call (of a rate: seconds an item, scaled) by point and technique."""
    found: dict[_Point, dict[str, float]] = {}
    for row in table.rows:
        for column in table.file.column:
            place = _place(table.file, column, row)
            number = row.numbers[column.name].value
            if not number or "technique" not in place or "framework" not in place:
                continue
            if column.metric == "latency_s":
                value = number
            elif column.metric == "throughput_items_per_s":
                value = 1e3 / number * float(place.get("batch_size", "1"))
            else:
                continue
            point = tuple((name, place[name]) for name in _POINT if name in place)
            found.setdefault(point, {})[place["technique"]] = value
    return found


def _place(table: TableFile, column: Column, row: PublishedRow) -> dict[str, str]:
    """The cell that a printed number is about, as far as the table says."""
    wanted = {**table.select, **column.select.get("any", {})}
    return {**{name: str(value) for name, value in wanted.items()}, **row.key}


def _planned_points(plan: Plan) -> dict[_Point, list[str]]:
    """Techniques of the ladders by point and protocol, in the order of the plan."""
    found: dict[_Point, dict[str, None]] = {}
    for planned in plan.cells:
        cell = planned.cell
        if cell.task == "infer" and cell.framework in LADDERS and not cell.variant:
            names = (*_POINT, "protocol")
            point = tuple((name, str(getattr(cell, name))) for name in names)
            found.setdefault(point, {})[cell.technique] = None
    return {point: list(techniques) for point, techniques in found.items()}


def _measured(fields: dict[str, str], technique: str, points: Points) -> Measured:
    """Milliseconds a call over all processes, or the reason for none; and the cells behind."""
    table = TableFile(id="", title="", place="", key=[*fields, "technique"], select=_INFERENCE)
    return measure_place(table, _LATENCY, {**fields, "technique": technique}, points)


_INFERENCE: dict[str, str | int | list[str | int]] = {"task": "infer"}


def kinds_of(explanations: list[Explanation]) -> Iterator[str]:
    """The kinds of factors there are, plain ones first, as columns of a table."""
    seen = {factor.kind for explanation in explanations for factor in explanation.factors}
    yield from (kind for kind in KINDS if kind in seen)
    yield from sorted(seen - set(KINDS))
