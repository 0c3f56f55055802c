"""What to say before cells are run, and the request that runs just them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from services.phrases import count, duration

if TYPE_CHECKING:
    from manifests.plan import PlannedCell
    from orchestrator.running.request import Prepared, Request


def request_for(
    request: Request, prepared: Prepared, cells: Sequence[PlannedCell], rerun: tuple[str, ...]
) -> Request:
    """Runs just these cells, and those that they start from. What ``-k`` can say as well.

    ``request`` is what the plan was made from.
    """
    every = len(cells) == len(prepared.chosen)
    expression = request.expression if every else f"id={','.join(p.id for p in cells)}"
    return request._replace(expression=expression, rerun=rerun)


def what_will_run(
    prepared: Prepared, cells: Sequence[PlannedCell], rerun: tuple[str, ...]
) -> list[PlannedCell]:
    """Of these cells and those that they start from, what the run would really begin."""
    from orchestrator.planning.planner import with_ancestors
    from orchestrator.planning.resuming import outstanding

    chosen = with_ancestors(prepared.plan, [planned.id for planned in cells])
    return [item.planned for item in outstanding(prepared.run, chosen, set(rerun))]


def what_it_takes(
    request: Request,
    prepared: Prepared,
    cells: Sequence[PlannedCell],
    todo: Sequence[PlannedCell],
    busy: bool,
) -> list[str]:
    """Time, engine, folder, and what can't run. ``busy``: something runs already.

    ``cells`` are those that were chosen, ``todo`` those that will run for it.
    """
    seconds = sum(planned.estimate_s for planned in todo if not planned.skip)
    skipped = sum(bool(planned.skip) for planned in todo)
    before = len({planned.id for planned in todo} - {planned.id for planned in cells})
    lines = [f"About {duration(seconds)} on engine {request.engine}; folder:"]
    lines.append(str(prepared.run.folder))
    if before:
        lines.append(f"Among them {count(before, 'cell')} that the chosen ones start from.")
    if skipped:
        lines.append(f"{count(skipped, 'cell')} can't run here and will say why.")
    if request.rerun:
        lines.append("What these cells left is put aside, not deleted.")
    if busy:
        lines.append("They wait until the run that goes on has ended.")
    return lines
