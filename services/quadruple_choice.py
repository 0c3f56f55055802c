"""Which quadruple is measured next: the cheapest that may decide something in the time left."""

from __future__ import annotations

import datetime
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from manifests.cell import Cell
from manifests.flags import voids
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from orchestrator.planning.quadruples import point_of, quadruple, used
from services.still_open import StillOpen

_BREAK_S = 30.0
"""A break between two cells counts as spent up to this length; beyond it nobody measured."""
_Technique = tuple[str, str, str]
_AT_ONCE = 14
"""So many claims are weighed against each other at once: 16,000 sets of them."""
_SHARED = 0.5
"""Of its time, so much of a comparison is measured anyway where it joins others."""


class Costs:
    """What a process of each point takes: as long as those that have run, else as estimated, by how
    far cells of the same technique were from their estimates.

    With the time that passed between one cell and the next, on average.
    """

    def __init__(self, plan: Plan, manifests: Sequence[Manifest]) -> None:
        idle_s = spent_s(manifests) - sum(manifest.wall_s for manifest in manifests)
        self._between_s = max(0.0, idle_s) / max(1, len(manifests))
        self._walls: dict[str, list[float]] = {}
        self._planned = {planned.id: planned for planned in plan.cells}
        self._paces: dict[_Technique, list[float]] = {}
        for manifest in manifests:
            if manifest.status == "ok":
                self._walls.setdefault(point_of(manifest.cell), []).append(manifest.wall_s)
                planned = self._planned.get(manifest.id)
                if planned is not None and planned.estimate_s > 0:
                    pace = manifest.wall_s / planned.estimate_s
                    self._paces.setdefault(_technique(manifest.cell), []).append(pace)

    def of(self, point: str) -> float:
        """Seconds for one process."""
        walls = self._walls.get(point)
        return (statistics.median(walls) if walls else self._guess_s(point)) + self._between_s

    def _guess_s(self, point: str) -> float:
        planned = self._planned[point]
        return planned.estimate_s * statistics.median(
            self._paces.get(_technique(planned.cell), [1])
        )

    def of_all(self, points: Iterable[str]) -> float:
        """Seconds for one process of each."""
        return sum(map(self.of, points))

    def to_look(self, claim: StillOpen) -> float:
        """Seconds until all its open comparisons have reached their next look."""
        return sum(number * self.of(point) for point, number in claim.further().items())


def _technique(cell: Cell) -> _Technique:
    return cell.framework, cell.task, cell.technique


def spent_s(manifests: Iterable[Manifest]) -> float:
    """For how long cells of a run have been measured, side by side counted once.

    It follows from the manifests alone, so that a run started again goes on with what is left.
    """
    spans = sorted((_start_s(manifest), manifest.wall_s) for manifest in manifests)
    spent = 0.0
    end = spans[0][0] if spans else 0.0
    for begin, wall_s in spans:
        pause = max(0.0, begin - end)
        spent += min(pause, _BREAK_S) + max(0.0, begin + wall_s - max(begin, end))
        end = max(end, begin + wall_s)
    return spent


def _start_s(manifest: Manifest) -> float:
    return datetime.datetime.fromisoformat(manifest.started_at).timestamp()


class Batch(NamedTuple):
    """What is measured together next: for which claims, which points, and how often more."""

    claims: tuple[str, ...]
    points: frozenset[str]
    more: int
    seconds: float


def shared_seconds(needs: Sequence[Mapping[str, int]], costs: Costs) -> list[float]:
    """What each of them takes where all that want a point's processes share their time equally."""
    wanted = Counter(point for one in needs for point in one)
    return [sum(n * costs.of(point) / wanted[point] for point, n in one.items()) for one in needs]


def affordable(needs: Sequence[Mapping[str, int]], costs: Costs, left_s: float) -> list[int]:
    """The places of as many as the time left allows, together; of equally many the quickest.

    What several need counts once. Looked for among those that are the cheapest by themselves, at
    most _AT_ONCE of them.
    """
    alone = shared_seconds(needs, costs)
    places = sorted(range(len(needs)), key=lambda place: alone[place])[:_AT_ONCE]
    best: tuple[int, float, list[int]] = (0, 0.0, [])

    def extend(
        rest: Sequence[int], taken: list[int], processes: Mapping[str, int], s: float
    ) -> None:
        nonlocal best
        best = max(best, (len(taken), -s, taken), key=lambda one: one[:2])
        for number, place in enumerate(rest):
            if len(taken) + len(rest) - number < best[0]:
                return
            more = {p: n for p, n in needs[place].items() if n > processes.get(p, 0)}
            longer_s = s + sum((n - processes.get(p, 0)) * each_s[p] for p, n in more.items())
            if longer_s <= left_s:
                extend(rest[number + 1 :], [*taken, place], {**processes, **more}, longer_s)

    each_s = {point: costs.of(point) for one in needs for point in one}
    extend(places, [], {}, 0.0)
    return sorted(best[2])


def choose(claims: Sequence[StillOpen], costs: Costs, left_s: float) -> Batch | None:
    """For the claim that is the cheapest to bring to its next look, if there is time for that.

    Cheap is also what others want as well: five claims about the same cells come before one that
    takes a little less than all five.

    One of its comparisons, and with it every comparison of whose cells at least half, by their
    time, are measured anyway. What shares less has quadruples of its own, so that partners stay
    close to each other.
    """
    able = [c for c in claims if c.comparisons and costs.to_look(c) <= left_s]
    seconds = shared_seconds([claim.further() for claim in able], costs)
    able = [claim for _, claim in sorted(zip(seconds, able, strict=True), key=lambda one: one[0])]
    pairs = [(claim, one) for claim in able for one in claim.comparisons]
    if not pairs:
        return None
    first = min(able[0].comparisons, key=lambda one: one.more * costs.of_all(one.points))
    points, more, numbers = first.points, first.more, {able[0].number: None}
    for claim, one in pairs:
        joined = points | one.points
        shared_s = costs.of_all(points & one.points)
        fits = max(more, one.more) * costs.of_all(joined) <= left_s
        if fits and shared_s >= _SHARED * costs.of_all(one.points):
            points, more = joined, max(more, one.more)
            numbers[claim.number] = None
    return Batch(tuple(numbers), points, more, more * costs.of_all(points))


def next_quadruple(
    plan: Plan,
    points: frozenset[str],
    costs: Costs,
    manifests: Sequence[Manifest],
    anew: bool = False,
) -> list[PlannedCell]:
    """The cells that are to run: what is missing of a quadruple that was cut off, else a new one.

    In the order in which they run. A quadruple that was disturbed is never gone on with; none is
    where ``anew``: what was begun ran side by side.
    """
    partners = [
        msgspec.structs.replace(planned, estimate_s=costs.of(planned.id))
        for planned in plan.cells
        if planned.id in points
    ]
    by_id = {manifest.id: manifest for manifest in manifests}
    free = used((manifest.cell for manifest in manifests), points)
    for number in range(free if anew else 0, free):
        cells = quadruple(partners, number)
        missing = [planned for planned in cells if not _ran(by_id.get(planned.id))]
        there = [by_id[planned.id] for planned in cells if planned.id in by_id]
        if missing and cells[-len(missing) :] == missing and not any(map(_spoilt, there)):
            return missing
    return quadruple(partners, free)


def _ran(manifest: Manifest | None) -> bool:
    """What was cancelled is run again."""
    return manifest is not None and manifest.status != "cancelled"


def _spoilt(manifest: Manifest) -> bool:
    """Whether its quadruple can't count any more, whatever is measured beside it."""
    failed = manifest.status not in ("ok", "cancelled")
    return failed or any(voids(flag.name) for flag in manifest.flags)
