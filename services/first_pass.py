"""What is measured once without time for everything: claim by claim, the cheapest first."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.planning.planner import with_ancestors
from orchestrator.planning.quadruples import point_of
from services.first_looks import first_look
from services.phrases import count, duration
from services.quadruple_choice import Costs, shared_seconds

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


def cheapest(found: Sequence[Begin], costs: Costs, left_s: float = math.inf) -> Begin | None:
    """What several claims need counts as shared between them. None without time for any."""
    able = [one for one in found if one.seconds <= left_s]
    seconds = shared_seconds([one.needs for one in able], costs)
    return able[seconds.index(min(seconds))] if able else None


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
