"""What a run's experiments have come to, and the command that shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import TYPE_CHECKING

from comparisons.matrix import PROBE
from papers.paper import find_paper

if TYPE_CHECKING:
    from manifests.plan import PlannedCell
    from services.results import Results


def probed(results: Results) -> str:
    """``476 int8, 397 mixed, 88 refused``: how often each outcome of a probe came; "" without."""
    found = Counter(one.probe.outcome for one in results.manifests if one.probe is not None)
    return ", ".join(f"{number:,} {outcome}" for outcome, number in found.most_common())


def experiments_alone(results: Results) -> bool:
    """Whether experiments ran and nothing of what runs by default, which claims are about."""
    ran = {one.id for one in results.manifests}
    return _some(results, True, ran) and not _some(results, False, ran)


def how_to_see(results: Results, run: str) -> str:
    """Of experiments that have run to their end, and nothing else; "" for any other run. ``run`` is
    empty for the one that a command would choose anyway.
    """
    ran = {one.id for one in results.manifests}
    cells = _cells(results, True)
    if not experiments_alone(results) or any(one.id not in ran and not one.skip for one in cells):
        return ""
    study = results.plan.study
    if any(one.cell.task == PROBE for one in cells):
        return f"repliquant matrix {run or study}"
    names = {one.experiment for one in cells}
    every = (table.file for table in find_paper(study).tables)
    tables = [one.id for one in every if one.experiment in names]
    if not tables:
        return ""
    return " ".join(["repliquant table", study, *([run] if run else []), "--table", *tables[:1]])


def _some(results: Results, of_experiments: bool, ran: Collection[str]) -> bool:
    return any(one.id in ran for one in _cells(results, of_experiments))


def _cells(results: Results, of_experiments: bool) -> list[PlannedCell]:
    return [one for one in results.plan.cells if bool(one.experiment) == of_experiments]
