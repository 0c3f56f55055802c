"""What the first look at a claim takes, before anything of it has been measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from manifests.metrics import is_exact, is_proportion
from orchestrator.planning.quadruples import point_of

if TYPE_CHECKING:
    from comparisons.claims import Judged
    from comparisons.comparison import Line
    from comparisons.results import Evidence
    from manifests.plan import Plan, PlannedCell
    from papers.expressions import Node

Needed = Mapping[str, int]
"""So many further processes by point."""

_RIGOROUS = "rigorous"


class FirstLook(NamedTuple):
    """The points whose cells it takes, and the processes of timed ones beyond the first; or why it
    can't be measured.
    """

    points: frozenset[str] = frozenset()
    further: Needed = MappingProxyType({})
    reason: str = ""


def first_look(judged: Judged, plan: Plan, evidence: Evidence) -> FirstLook:
    """At a claim's test, else at its stand-in, on the machine that the plan is for."""
    claim = judged.claim
    if claim.untestable:
        return FirstLook(reason=claim.untestable)
    looks = [
        FirstLook(reason=claim.too_little(name, plan.tier))
        if claim.too_little(name, plan.tier)
        else _at(test, claim.constants, plan, evidence)
        for name, test in claim.tests.items()
    ]
    return next((look for look in looks if not look.reason), looks[-1])


def _at(test: Node, constants: Mapping[str, float], plan: Plan, evidence: Evidence) -> FirstLook:
    """Sizes, counts and shares of images need no further processes."""
    from comparisons.claims.rehearsal import rehearse
    from comparisons.sequential.looks import FIRST

    planned = {one.id: one for one in plan.cells}
    points: set[str] = set()
    further: dict[str, int] = {}
    found = list(_places(test, evidence))
    if not any(line.cells for line, _ in found):
        return FirstLook(reason=f"its test names no cell of tier {plan.tier}")
    for line, timed in found:
        cells = _deciding([planned[cell] for cell in line.cells])
        able = {point_of(one.cell) for one in cells if not one.skip}
        if cells and not able:
            return FirstLook(reason=cells[0].skip)
        points |= able
        further.update(dict.fromkeys(able, FIRST - 1) if timed else {})
    able_ids = {one.id for one in plan.cells if not one.skip}
    lacks = rehearse(test, constants, evidence.published, evidence.comparisons, able_ids)
    why = f"tier {plan.tier} has too little for it: {lacks}" if lacks else ""
    return FirstLook(frozenset(points), further, why)


def _deciding(cells: list[PlannedCell]) -> list[PlannedCell]:
    """Where cells run in both protocols, the rigorous one decides."""
    return [one for one in cells if one.cell.protocol == _RIGOROUS] or cells


def _places(test: Node, evidence: Evidence) -> Iterator[tuple[Line, bool]]:
    """The lines that a test names, and whether what they show varies from process to process."""
    from comparisons.claims.cells import lines_of
    from papers.expressions import columns_used

    timed = _timed(evidence)
    comparisons = {one.id: one for one in evidence.comparisons}
    for place in columns_used(test):
        if place.column and place.table in comparisons:
            for line in lines_of(place, comparisons[place.table]):
                yield line, timed[place.table, place.column]


def _timed(evidence: Evidence) -> Mapping[tuple[str, str], bool]:
    metrics = {(t.file.id, c.name): c.metric for t in evidence.published for c in t.file.column}
    varies = {key: not (is_exact(m) or is_proportion(m)) for key, m in metrics.items()}
    for table in evidence.published:
        for column in table.file.column:
            operands = [name for names in column.derive.values() for name in names]
            if operands:
                varies[table.file.id, column.name] = any(
                    varies[table.file.id, name] for name in operands
                )
    return varies
