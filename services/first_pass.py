"""What is measured once without time for everything and a look at every claim: claim by claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.planning.planner import with_ancestors
from orchestrator.planning.quadruples import point_of
from services.first_looks import first_look
from services.phrases import count, duration
from services.quadruple_choice import Costs, affordable, shared_seconds
from services.still_open import StillOpen, still_open

if TYPE_CHECKING:
    from comparisons.claims import Judged
    from comparisons.results import Evidence
    from manifests.plan import Plan, PlannedCell


class Begin(NamedTuple):
    """A claim of which something was not measured yet.

    ``missing`` are those cells, in the order of the plan; ``needs`` is how many processes of which
    point its first look takes, those of what it starts from included, ``seconds`` how long that is.
    """

    number: str
    missing: tuple[PlannedCell, ...]
    needs: Mapping[str, int]
    seconds: float

    @property
    def words(self) -> str:
        """``C11: 4 cells once, about 5 min until it can be looked at``."""
        cells = count(len(self.missing), "cell")
        return (
            f"{self.number}: {cells} once, about {duration(self.seconds)} until it can be looked at"
        )


def beginnings(
    plan: Plan, evidence: Evidence, costs: Costs, todo: Sequence[PlannedCell]
) -> list[Begin]:
    """The open claims of which something is among ``todo``, the cells that may run."""
    looks = ((judged, first_look(judged, plan, evidence)) for judged in evidence.claims)
    found = []
    for judged, look in looks:
        if look.reason or settled(judged):
            continue
        wanted = [one.id for one in plan.cells if point_of(one.cell) in look.points]
        needed = {one.id for one in with_ancestors(plan, wanted)}
        missing = tuple(one for one in todo if one.id in needed)
        if missing:
            needs = dict(look.further)
            for one in missing:
                point = point_of(one.cell)
                needs[point] = needs.get(point, 0) + 1
            seconds = sum(number * costs.of(point) for point, number in needs.items())
            found.append(Begin(judged.number, missing, needs, seconds))
    return found


def settled(judged: Judged) -> bool:
    """Whether it, or its stand-in, is decided."""
    from comparisons.claims.verdicts import DECIDED

    verdicts = (judged.measured, judged.stand_in)
    return any(verdict is not None and verdict.state in DECIDED for verdict in verdicts)


class Reach(NamedTuple):
    """The claims that there is time for, together: those to begin, and those to look at again."""

    begun: list[Begin]
    looks: list[StillOpen]


def in_reach(
    begun: Sequence[Begin], able: Sequence[StillOpen], costs: Costs, left_s: float
) -> Reach:
    """As many as possible. ``able`` are those all of whose cells were measured once."""
    looks = [claim for claim in able if claim.comparisons]
    needs = [*(one.needs for one in begun), *(claim.further() for claim in looks)]
    places = affordable(needs, costs, left_s)
    return Reach(
        [begun[place] for place in places if place < len(begun)],
        [looks[place - len(begun)] for place in places if place >= len(begun)],
    )


def cheapest(found: Sequence[Begin], costs: Costs) -> Begin | None:
    """What several claims need counts as shared between them."""
    seconds = shared_seconds([one.needs for one in found], costs)
    return found[seconds.index(min(seconds))] if found else None


def once_and_looks_s(
    plan: Plan, evidence: Evidence, costs: Costs, todo: Sequence[PlannedCell]
) -> float:
    """How long it takes to measure all of them once and to come to a look at every open claim."""
    processes = Counter(point_of(one.cell) for one in todo)
    begun = [one.needs for one in beginnings(plan, evidence, costs, todo)]
    going_on = [claim.further() for claim in still_open(plan, evidence.claims)]
    for needs in (*begun, *going_on):
        for point, number in needs.items():
            processes[point] = max(processes[point], number)
    return sum(number * costs.of(point) for point, number in processes.items())


def once_s(todo: Sequence[PlannedCell], costs: Costs) -> float:
    """How long it takes to measure all of them once."""
    return costs.of_all(point_of(one.cell) for one in todo)


def fitting(
    plan: Plan, todo: Sequence[PlannedCell], costs: Costs, left_s: float
) -> list[PlannedCell]:
    """The first of what is left that there is time for, with what it starts from."""
    ids = {one.id for one in todo}
    for one in todo:
        cells = [each for each in with_ancestors(plan, [one.id]) if each.id in ids]
        if once_s(cells, costs) <= left_s:
            return cells
    return []
