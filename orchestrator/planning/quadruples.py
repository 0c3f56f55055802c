"""Quadruples: two fresh processes of every partner cell, A B B A and the next time B A A B.

Which quadruple a process belongs to follows from its repeat's number: 0 and 1, then 2 and 3, ...
So what was measured, what is missing and which numbers are free is told by the manifests alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from manifests.cell import Cell
from manifests.plan import Plan, PlannedCell

T = TypeVar("T")

A_QUADRUPLE = 2
"""So many processes of a cell are in one."""


def point_of(cell: Cell) -> str:
    """The id of the first of the processes that repeat the same point."""
    return cell.id if not cell.repeat else msgspec.structs.replace(cell, repeat=0).id


def repeated(planned: PlannedCell, repeat: int) -> PlannedCell:
    """Another process of the same point; it starts from the same weights."""
    cell = msgspec.structs.replace(planned.cell, repeat=repeat)
    return msgspec.structs.replace(planned, id=cell.id, cell=cell)


def in_turn(partners: Sequence[T], repeat: int) -> Iterable[T]:
    """The partners in the order in which their processes of that number run: A B, B A, B A, A B.

    So neither a drift of the machine nor what comes first after a break favours one of them.
    """
    return reversed(partners) if repeat % (2 * A_QUADRUPLE) in (1, 2) else partners


def quadruple(partners: Sequence[PlannedCell], number: int) -> list[PlannedCell]:
    """The cells of a quadruple in the order in which they run."""
    repeats = range(number * A_QUADRUPLE, (number + 1) * A_QUADRUPLE)
    return [repeated(one, repeat) for repeat in repeats for one in in_turn(partners, repeat)]


def further(ids: Mapping[str, object], old: Plan) -> list[Cell]:
    """The cells of an earlier plan that repeat a point of ``ids`` and aren't among them."""
    more = (planned.cell for planned in old.cells if planned.cell.repeat)
    return [cell for cell in more if cell.id not in ids and point_of(cell) in ids]


def grown(plan: Plan, more: Iterable[PlannedCell]) -> Plan:
    """With further cells at its end; those that it has already stay where they are."""
    there = {planned.id for planned in plan.cells}
    added = [planned for planned in more if planned.id not in there]
    return msgspec.structs.replace(plan, cells=[*plan.cells, *added]) if added else plan


def used(cells: Iterable[Cell], points: Iterable[str]) -> int:
    """How many numbers of quadruples the points have used: the first free one."""
    wanted = set(points)
    return max((c.repeat // A_QUADRUPLE + 1 for c in cells if point_of(c) in wanted), default=0)
