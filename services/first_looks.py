"""What the first look at a claim takes, before anything of it has been measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from manifests.metrics import is_exact, is_proportion
from orchestrator.planning.quadruples import point_of

if TYPE_CHECKING:
    from comparisons.comparison import Line
    from comparisons.results import Evidence
    from manifests.plan import Plan, PlannedCell
    from papers.expressions import Node

Needed = Mapping[str, int]
"""So many further processes by point."""

_RIGOROUS = "rigorous"


def first_look(
    test: Node, constants: Mapping[str, float], plan: Plan, evidence: Evidence
) -> tuple[Needed, str]:
    """The processes beyond the first that a test's timed cells need; or why it can't be measured.

    Sizes, counts and shares of images need none.
    """
    from comparisons.claims.rehearsal import rehearse
    from comparisons.sequential.looks import FIRST

    planned = {one.id: one for one in plan.cells}
    needs: dict[str, int] = {}
    found = list(_places(test, evidence))
    if not any(line.cells for line, _ in found):
        return {}, f"its test names no cell of tier {plan.tier}"
    for line, timed in found:
        cells = _deciding([planned[cell] for cell in line.cells])
        able = [one for one in cells if not one.skip]
        if cells and not able:
            return {}, cells[0].skip
        needs.update({point_of(one.cell): FIRST - 1 for one in able if timed})
    able_ids = {one.id for one in plan.cells if not one.skip}
    lacks = rehearse(test, constants, evidence.published, evidence.comparisons, able_ids)
    return needs, f"tier {plan.tier} has too little for it: {lacks}" if lacks else ""


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
