"""Taking a speedup apart: batch splitting x calling convention x compiler x precision = total.

A ladder is a tree of ways to run one model. Each rung names the one it stands on and what
changes between the two; a speedup is the product of the steps from the root to its rung. Where
rungs in between were not measured (or, in a paper, not published), steps of different kinds
can't be told apart and their product is one factor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from comparisons.contrasts import factor_interval
from comparisons.factors import Factor, name_of, take_apart
from comparisons.intervals import Interval
from comparisons.measured import Measured, measure_place
from comparisons.number_flags import NO_FLAGS, Flagged, merged
from comparisons.points import Points
from comparisons.predict_steps import OneStep, in_one_step
from manifests.plan import Plan
from papers.ladders import KINDS, Ladders, Node
from papers.published import Column, PublishedRow, PublishedTable, TableFile

NOT_MEASURED: Mapping[Node, Measured] = {}
_POINT = ("framework", "device", "image_size", "model", "batch_size")
_EXPERIMENT = "experiment"
"""Tells an experiment's cells from those of the default, together with their seed."""
_Point = tuple[tuple[str, str], ...]
_Times = dict[Node, float]
_LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")


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


def explain_published(tables: list[PublishedTable], ladders: Ladders) -> list[Explanation]:
    """Every speedup over the ladder's root that the paper's own latencies and rates give."""
    found = []
    for table in tables:
        points = _published_times(table)
        beside = _by_rest(points)
        for point, times in points.items():
            for technique in times:
                node = Node(dict(point)["framework"], technique)
                root = ladders.path_to(node)[0]
                everything = beside[_rest(point)]
                if node != root and root in everything:
                    source = f"published, {table.file.place.partition(',')[0]}"
                    found.append(_explanation(ladders, source, point, node, everything))
    return found


def explain_measured(plan: Plan, points: Points, ladders: Ladders) -> list[Explanation]:
    """Every speedup over the ladder's root among the plan's inference cells."""
    found = []
    planned = _planned_points(plan)
    beside = _by_rest(planned)
    known: dict[tuple[_Point, Node], Measured] = {}
    for point, techniques in planned.items():
        fields, rest = dict(point), _rest(point)
        for technique in techniques:
            node = Node(fields["framework"], technique)
            path = ladders.path_to(node)
            if node == path[0] or path[0] not in beside[rest]:
                continue
            rungs = [rung for rung in path if rung in beside[rest]]
            for rung in rungs:
                if (rest, rung) not in known:
                    known[rest, rung] = _measured(fields, rung, points)
            measured = {rung: known[rest, rung] for rung in rungs}
            found.append(_explain_cells(ladders, point, node, measured, points))
    return found


def _explain_cells(
    ladders: Ladders, point: _Point, node: Node, measured: dict[Node, Measured], points: Points
) -> Explanation:
    """One speedup of a run; ``measured`` has both its ends."""
    fields = dict(point)
    root = ladders.path_to(node)[0]
    states = [measured[end].state for end in (node, root)]
    state = next((text for text in states if text != "ok"), "ok")
    times = {rung: found.value for rung, found in measured.items() if found.value}
    shown = tuple((name, value) for name, value in point if name in (*_POINT, "seed"))
    source = f"measured, {fields['protocol']}"
    asked = {**_of_cells(fields), "framework": root.framework}
    whole = in_one_step(asked, root.technique, points)
    return _explanation(ladders, source, shown, node, times, state, measured, whole)


def without_ladder(plan: Plan, ladders: Ladders) -> dict[str, list[str]]:
    """Techniques of inference that no rung is about, by framework: nothing takes them apart."""
    known = ladders.nodes()
    found: dict[str, dict[str, None]] = {}
    for planned in plan.cells:
        node = Node(planned.cell.framework, planned.cell.technique)
        if planned.cell.task == "infer" and node not in known:
            found.setdefault(node.framework, {})[node.technique] = None
    return {framework: list(techniques) for framework, techniques in found.items()}


def _explanation(
    ladders: Ladders,
    source: str,
    point: _Point,
    node: Node,
    times: Mapping[Node, float],
    state: str = "ok",
    measured: Mapping[Node, Measured] = NOT_MEASURED,
    whole: OneStep | None = None,
) -> Explanation:
    path = ladders.path_to(node)
    known = state == "ok"
    whole = whole if known else None
    processes = {name_of(rung): found.values for rung, found in measured.items()}
    ends = {name_of(path[0]): 1, name_of(node): -1}
    rungs = [(rung.beside(node.framework), times[rung]) for rung in path if rung in times]
    if whole:
        rungs.insert(1, (f"{rungs[0][0]} in one step", whole.ms))
    counts = [found.n for rung, found in measured.items() if rung in times]
    return Explanation(
        source=source,
        point=dict(point),
        baseline=path[0].beside(node.framework),
        technique=node.technique,
        total=times[path[0]] / times[node] if known else None,
        factors=take_apart(ladders, node, times, processes, whole) if known else [],
        rungs=rungs,
        state=state,
        cells=(
            *(cell for found in measured.values() for cell in found.cells),
            *(whole.cells if whole else ()),
        ),
        interval=factor_interval(ends, processes) if known else None,
        n=min([*counts, *([len(whole.values)] if whole else [])], default=0),
        flagged=merged(
            [one.flagged for one in measured.values()] + ([whole.flagged] if whole else [])
        ),
    )


def _rest(point: _Point) -> _Point:
    """What cells of two frameworks share where one can stand on the other."""
    return tuple((name, value) for name, value in point if name != "framework")


def _by_rest(points: Mapping[_Point, Mapping[str, float | None]]) -> dict[_Point, _Times]:
    """All that is there beside a point, of every framework; 0 where only its name is known."""
    found: dict[_Point, _Times] = {}
    for point, techniques in points.items():
        times = found.setdefault(_rest(point), {})
        framework = dict(point)["framework"]
        times.update({Node(framework, name): value or 0.0 for name, value in techniques.items()})
    return found


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
            names = (*_POINT, *table.file.labels)
            point = tuple((name, place[name]) for name in names if name in place)
            found.setdefault(point, {})[place["technique"]] = value
    return found


def _place(table: TableFile, column: Column, row: PublishedRow) -> dict[str, str]:
    """The cell that a printed number is about, as far as the table says."""
    wanted = {**table.select, **column.select.get("any", {})}
    return {**{name: str(value) for name, value in wanted.items()}, **row.key}


def _planned_points(plan: Plan) -> dict[_Point, dict[str, None]]:
    """Techniques by point and protocol, in the order of the plan."""
    found: dict[_Point, dict[str, None]] = {}
    for planned in plan.cells:
        cell = planned.cell
        if cell.task == "infer" and not (cell.variant or cell.environment):
            names = (*_POINT, "protocol", *(["seed"] if planned.experiment else []))
            point = tuple((name, str(getattr(cell, name))) for name in names)
            if planned.experiment:
                point = (*point, (_EXPERIMENT, planned.experiment))
            found.setdefault(point, {})[cell.technique] = None
    return found


def _of_cells(fields: dict[str, str]) -> dict[str, str]:
    """What of a point cells have."""
    return {name: value for name, value in fields.items() if name != _EXPERIMENT}


def _measured(fields: dict[str, str], node: Node, points: Points) -> Measured:
    """Milliseconds a call over all processes, or the reason for none; and the cells behind."""
    key = {**_of_cells(fields), "framework": node.framework, "technique": node.technique}
    table = TableFile(
        id="", title="", place="", key=list(key), select=_INFERENCE,
        experiment=fields.get(_EXPERIMENT, ""),
    )  # fmt: skip
    return measure_place(table, _LATENCY, key, points)


_INFERENCE: dict[str, str | int | list[str | int]] = {"task": "infer"}


def kinds_of(explanations: list[Explanation]) -> Iterator[str]:
    """The kinds of factors there are, plain ones first, as columns of a table."""
    seen = {factor.kind for explanation in explanations for factor in explanation.factors}
    yield from (kind for kind in KINDS if kind in seen)
    yield from sorted(seen - set(KINDS))
