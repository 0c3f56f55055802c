"""The whole way from a request to finished cells; the command line and the screen both use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from manifests import paths
from manifests.cell import Cell
from manifests.errors import InputError
from manifests.files import warnings_told
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from orchestrator.datasets import about, pretrained
from orchestrator.messages import Listener, LogLine
from orchestrator.model_files import intake
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.quadruples import grown
from orchestrator.planning.resuming import outstanding
from orchestrator.running.control import RunControl
from orchestrator.running.exit_status import exit_status, status_of
from orchestrator.running.request import Prepared, Request, check_rerun, history, prepare
from orchestrator.running.run_lock import opened, store_plan

if TYPE_CHECKING:
    from machine.sampler import Sampler
    from orchestrator.datasets.packs import Packs
    from orchestrator.running.executor import Executor
    from orchestrator.running.orders import Setup


class Outcome(NamedTuple):
    """What an execution did. ``ended`` are the manifests of the cells that it ran.

    ``broken`` are ids of cells that could not be started although their image was there,
    ``waiting`` is how many are in an engine's queue or run there.
    """

    prepared: Prepared
    ended: list[Manifest]
    images_missing: list[str]
    broken: frozenset[str] = frozenset()
    waiting: int = 0

    def exit_status(self, manifests: list[Manifest]) -> int:
        """With the manifests that the run has now."""
        found = {manifest.id: status_of(manifest) for manifest in manifests}
        statuses = [found.get(planned.id) for planned in self.prepared.chosen]
        return exit_status(statuses, self.broken, self.images_missing)


class Session:
    """A run whose folder is held and whose data lies there: its cells can be run."""

    def __init__(self, prepared: Prepared, executor: Executor, rerun: set[str]) -> None:
        self.prepared = prepared
        self._executor = executor
        self._rerun = rerun
        self._ended: list[Manifest] = []

    @property
    def outcome(self) -> Outcome:
        """Of all that was run so far."""
        executor = self._executor
        broken = frozenset(executor.broken)
        images = executor.images_missing
        return Outcome(self.prepared, self._ended, images, broken, executor.waiting)

    @property
    def paused(self) -> bool:
        """Whether no further cell is to be started."""
        return self._executor.paused

    @property
    def outstanding(self) -> list[PlannedCell]:
        """What is left to run of what was asked for, in its order."""
        ended = {manifest.id for manifest in self._ended}
        found = outstanding(self.prepared.run, self.prepared.chosen, self._rerun - ended)
        return [item.planned for item in found if item.planned.id not in ended]

    def run_chosen(self, cells: Sequence[PlannedCell] | None = None) -> None:
        """All that is outstanding of what was asked for, or of these ``cells`` of it, in their
        order. Raises KeyboardInterrupt when cut off.
        """
        chosen = self.prepared.chosen if cells is None else list(cells)
        self._ended += self._executor.execute(chosen, self._rerun)

    def run_further(self, cells: Sequence[PlannedCell]) -> None:
        """Add cells to the plan, where they aren't in it yet, and run them one after the other.

        They are in the plan before the first one starts, so that what is cut off is taken up again.
        """
        prepared = self.prepared
        plan = grown(prepared.plan, cells)
        ids = prepared.ids | {planned.id for planned in cells}
        self.prepared = prepared._replace(plan=plan, ids=ids)
        store_plan(prepared.run, plan)
        self._ended += self._executor.execute(list(cells), set(), one_by_one=True)


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
    with session(request, tell, sampler, control) as held:
        held.run_chosen()
        return held.outcome


@contextlib.contextmanager
def session(
    request: Request,
    tell: Listener,
    sampler: Sampler | None = None,
    control: RunControl | None = None,
) -> Iterator[Session]:
    """Prepare the data and hold the run's folder; what is run in it is up to the caller."""
    with (
        warnings_told(lambda text: tell(LogLine(f"warning: {text}", "important"))),
        _begun(request, tell, sampler, control) as held,
    ):
        yield held


@contextlib.contextmanager
def _begun(
    request: Request, tell: Listener, sampler: Sampler | None, control: RunControl | None
) -> Iterator[Session]:
    # The data sets need numpy; planning and showing don't.
    from orchestrator.datasets.packs import prepare_packs
    from orchestrator.running.orders import Setup

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
        executor = _executor(prepared, setup, request)
        control.take(executor)
        yield Session(prepared, executor, rerun)


def _executor(prepared: Prepared, setup: Setup, request: Request) -> Executor:
    """Raises InputError where what was measured is asked for before anything is."""
    from orchestrator.engines.queue import Queue
    from orchestrator.running.executor import Executor
    from orchestrator.running.queue_executor import QueueExecutor

    if not isinstance(setup.engine, Queue):
        return Executor(prepared.run, setup)
    if request.budget_s is not None and not request.wait:
        raise InputError(
            f"--budget measures again by what was measured, and the engine {setup.engine.name} "
            "returns before that. Give --wait too, or leave it out"
        )
    return QueueExecutor(prepared.run, setup, setup.engine, request.wait)


def _packed(prepared: Prepared, packs: Packs) -> Prepared:
    """With what is known of the data once it lies there."""
    plan = about.packed(prepared.plan, prepared.sources, prepared.places, packs.folders)
    plan = msgspec.structs.replace(
        plan, weights_to_fetch=[], data_sha256=packs.sha256, packs=packs.digests
    )
    return prepared._replace(plan=plan)


def _pretrained(cell: Cell) -> Path | None:
    """The folder of the file that a cell starts from: published weights, or a person's model."""
    if intake.wanted(cell):
        return intake.folder_of(cell).resolve()
    if not pretrained.wanted(cell) or pretrained.obstacle(cell):
        return None
    return pretrained.folder_of(cell, paths.cache()).resolve()
