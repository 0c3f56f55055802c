"""Which cells share a job of a queue: those that are compared with one another, and short ones.

Partners of a quadruple run on one node, one after the other, in the order of the plan, as on one
machine; another quadruple of them may run elsewhere. A node has one job of ours at a time, so that
cells of a bundle never run beside each other.
"""

from __future__ import annotations

import graphlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from manifests.cell import Cell
from manifests.plan import PlannedCell
from orchestrator.planning.quadruples import A_QUADRUPLE

Comparison = tuple[object, ...]
"""What cells have in common that are compared with one another."""


class Group(NamedTuple):
    """Cells of one job. ``level``: so many groups, one after the other, have to end before."""

    cells: list[PlannedCell]
    level: int
    node: str = ""


def comparison_of(planned: PlannedCell) -> Comparison:
    """Everything but framework, technique, batch size and the half of the quadruple."""
    cell: Cell = planned.cell
    return (
        cell.task == "infer", cell.model, cell.dataset, cell.image_size, cell.device, cell.seed,
        cell.protocol, planned.experiment, cell.repeat // A_QUADRUPLE,
    )  # fmt: skip


def group(
    cells: Sequence[PlannedCell], short_s: float, nodes: Mapping[Comparison, str] = {}
) -> list[Group]:
    """In an order in which each may start; ``nodes`` says where partners have run before.

    Groups of cells that each take less than ``short_s`` by their estimates share a job until it
    has that much.
    """
    parts: dict[Comparison, list[PlannedCell]] = {}
    for planned in cells:
        parts.setdefault(comparison_of(planned), []).append(planned)
    apart = _without_circles(cells, list(parts.values()))
    found = [
        Group(part, level, nodes.get(comparison_of(part[0]), ""))
        for part, level in zip(apart, _levels(apart), strict=True)
    ]
    return _shared(sorted(found, key=lambda one: one.level), short_s)


def _without_circles(
    cells: Sequence[PlannedCell], parts: list[list[PlannedCell]]
) -> list[list[PlannedCell]]:
    """Groups that wait for one another become one; the plan's order is right for its cells."""
    place = {planned.id: at for at, planned in enumerate(cells)}
    while True:
        try:
            graphlib.TopologicalSorter(_before(parts)).prepare()
            return parts
        except graphlib.CycleError as error:
            ring = set(error.args[1])
            merged = [planned for at in ring for planned in parts[at]]
            merged.sort(key=lambda planned: place[planned.id])
            parts = [part for at, part in enumerate(parts) if at not in ring] + [merged]


def _before(parts: Sequence[Sequence[PlannedCell]]) -> dict[int, set[int]]:
    """By the number of a group those that it waits for."""
    owner = {planned.id: at for at, part in enumerate(parts) for planned in part}
    return {
        at: {owner[need] for planned in part for need in planned.needs if need in owner} - {at}
        for at, part in enumerate(parts)
    }


def _levels(parts: Sequence[Sequence[PlannedCell]]) -> list[int]:
    before = _before(parts)
    levels: dict[int, int] = {}
    for at in graphlib.TopologicalSorter(before).static_order():
        levels[at] = max((levels[one] + 1 for one in before[at]), default=0)
    return [levels[at] for at in range(len(parts))]


def _shared(groups: Sequence[Group], short_s: float) -> list[Group]:
    """Short groups together: of one level, on one kind of node, all that make models or none."""
    found: list[Group] = []
    open_: dict[tuple[object, ...], Group] = {}
    for one in groups:
        first = one.cells[0].cell
        kind = (one.level, first.task == "infer", first.device, one.node)
        if max(planned.estimate_s for planned in one.cells) >= short_s:
            found.append(one)
            continue
        before = open_.get(kind)
        if before is None or sum(p.estimate_s for p in before.cells) >= short_s:
            open_[kind] = one._replace(cells=list(one.cells))
            found.append(open_[kind])
        else:
            before.cells.extend(one.cells)
    return found
