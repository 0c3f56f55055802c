"""Further processes of one cell: which they are, and the request that runs them."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

from manifests.codec import UnreadableError
from orchestrator.planning.quadruples import A_QUADRUPLE, point_of, repeated

if TYPE_CHECKING:
    from manifests.plan import PlannedCell
    from manifests.run_folder import Run
    from orchestrator.running.request import Request


class MoreProcesses(NamedTuple):
    """``cells`` are new; ``request`` runs them in ``run``, whose plan has them from then on."""

    request: Request
    run: Run
    cells: list[PlannedCell]


def more_processes(
    request: Request, run: Run, planned: PlannedCell, count: int = A_QUADRUPLE
) -> MoreProcesses:
    """So many as a quadruple has of one side, under the next numbers that the run's plan has not
    given yet. ``request`` is that of the run.
    """
    point = point_of(planned.cell)
    taken = _numbers(run, point) | {0, planned.cell.repeat}
    free = (number for number in itertools.count() if number not in taken)
    numbers = list(itertools.islice(free, count))
    cells = [repeated(planned, number) for number in numbers]
    asked = request._replace(
        expression=f"id={','.join(cell.id for cell in cells)}",
        further=tuple((point, number) for number in numbers),
        rerun=(),
        budget_s=None,
    )
    return MoreProcesses(asked, run, cells)


def _numbers(run: Run, point: str) -> set[int]:
    try:
        plan = run.plan()
    except (UnreadableError, OSError):
        return set()
    return {one.cell.repeat for one in plan.cells if point_of(one.cell) == point}
