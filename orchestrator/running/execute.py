"""The whole way from a request to finished cells; the command line and the screen both use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from manifests import paths
from manifests.cell import Cell
from manifests.files import warnings_told
from manifests.manifest import Manifest
from orchestrator.datasets import about, pretrained
from orchestrator.messages import Listener, LogLine
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.resuming import outstanding
from orchestrator.running.control import RunControl
from orchestrator.running.exit_status import exit_status
from orchestrator.running.request import Prepared, Request, check_rerun, history, prepare

if TYPE_CHECKING:
    from machine.sampler import Sampler
    from orchestrator.datasets.packs import Packs


class Outcome(NamedTuple):
    """What an execution did. ``ended`` are the manifests of the cells that it ran.

    ``broken`` are ids of cells that could not be started although their image was there.
    """

    prepared: Prepared
    ended: list[Manifest]
    images_missing: list[str]
    broken: frozenset[str] = frozenset()

    def exit_status(self, manifests: list[Manifest]) -> int:
        """With the manifests that the run has now."""
        found = {manifest.id: manifest.status for manifest in manifests}
        statuses = [found.get(planned.id) for planned in self.prepared.chosen]
        return exit_status(statuses, self.broken, self.images_missing)


def execute(
    request: Request,
    tell: Listener,
    sampler: Sampler | None = None,
    control: RunControl | None = None,
) -> Outcome:
    """Prepare the data, hold the run's folder, run what is outstanding.

    ``sampler`` is the screen's, which shows how the cells fare. ``control`` pauses and cancels the
    run from other threads. Raises RepliquantError, and KeyboardInterrupt after marking the cell
    that was cut off.
    """
    with warnings_told(lambda text: tell(LogLine(f"warning: {text}", "important"))):
        return _execute(request, tell, sampler, control)


def _execute(
    request: Request, tell: Listener, sampler: Sampler | None, control: RunControl | None
) -> Outcome:
    # The data sets need numpy; planning and showing don't.
    from orchestrator.datasets.packs import prepare_packs
    from orchestrator.running.executor import Executor
    from orchestrator.running.orders import Setup
    from orchestrator.running.run_lock import opened

    control = control or RunControl()
    tell = control.heard(tell)
    prepared = prepare(request, tell)
    rerun = check_rerun(request.rerun, prepared.plan)

    def progress(what: str, done: int, of: int) -> None:
        tell(LogLine(f"{what}: {done:,} of {of:,}", "detail", done, of))

    todo = [item.planned for item in outstanding(prepared.run, prepared.chosen, rerun)]
    pretrained.prepare_pretrained(
        [planned.cell for planned in todo if not planned.skip], paths.cache(), progress
    )
    packs = prepare_packs(prepared.plan, prepared.places, paths.cache(), progress)
    prepared = _packed(prepared, packs)
    for note in prepared.plan.dataset_notes:
        tell(LogLine(note))
    allotted = prepared.resources
    with opened(prepared.run, prepared.plan):
        setup = Setup(
            prepared.where.engine, packs.folder_of, allotted.threads, Estimates(history()), tell,
            allotted.cpus, allotted.gpus, allotted.memory_bytes, sampler, _pretrained,
            request.wait_quiet_s,
        )  # fmt: skip
        executor = Executor(prepared.run, setup)
        control.take(executor)
        ended = executor.execute(prepared.chosen, rerun)
    return Outcome(prepared, ended, executor.images_missing, frozenset(executor.broken))


def _packed(prepared: Prepared, packs: Packs) -> Prepared:
    """With what is known of the data once it lies there."""
    plan = about.packed(prepared.plan, prepared.sources, prepared.places, packs.folders)
    plan = msgspec.structs.replace(
        plan, weights_to_fetch=[], data_sha256=packs.sha256, packs=packs.digests
    )
    return prepared._replace(plan=plan)


def _pretrained(cell: Cell) -> Path | None:
    """The folder of published weights of a cell that starts from some."""
    if not pretrained.wanted(cell) or pretrained.obstacle(cell):
        return None
    return pretrained.folder_of(cell, paths.cache()).resolve()
