"""Running a plan: every cell of it to its manifest."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from manifests.codec import read_struct
from manifests.credentials import redacted_command
from manifests.errors import EngineGoneError, RepliquantError
from manifests.files import as_text
from manifests.manifest import CodeVersion, Container, Context, ImageUsed, Manifest
from manifests.order import FILE_NAME, CellOrder
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.engines.base import Order
from orchestrator.engines.live_cells import Running
from orchestrator.engines.submitted import Submitted
from orchestrator.environments.images import load_image
from orchestrator.messages import (
    CellEnded,
    CellEvent,
    CellStarted,
    LogLine,
    RunMessage,
    RunStarted,
)
from orchestrator.planning.resuming import Todo, outstanding
from orchestrator.running.attempt import Attempt, write_inputs
from orchestrator.running.before_cells import BeforeCells
from orchestrator.running.leftovers import submitted
from orchestrator.running.orders import Setup, launch_order, order_of
from orchestrator.running.parents import missing_weights
from orchestrator.running.run_lock import disk_error
from orchestrator.running.scheduler import Scheduler, Slot, gpu_slots
from orchestrator.telemetry.series_tail import SeriesTail
from orchestrator.version import code_version

_TRIES = 3


class Executor:
    """Runs the outstanding cells of a run whose folder is held.

    ``pause`` and ``cancel`` may be called from other threads.
    """

    def __init__(self, run: Run, setup: Setup) -> None:
        self.run_folder = run
        self.setup = setup
        self.kit: CodeVersion = code_version()
        self.broken: set[str] = set()  # ids of cells that something kept from running
        self._images: dict[str, ImageUsed | str] = {}
        self._attempts: dict[str, Attempt] = {}
        self._attachable: dict[str, Submitted] = {}
        self._before = BeforeCells(setup.engine, setup.wait_quiet_s)
        self._cancelled = self._paused = False
        self._telling = threading.Lock()

    def execute(
        self, chosen: list[PlannedCell], rerun: set[str], one_by_one: bool = False
    ) -> list[Manifest]:
        """Run what is outstanding; the manifests of the cells that were run.

        ``one_by_one``: also on GPUs, all on the first of them, because they are compared.
        Raises KeyboardInterrupt after marking the cells that were cut off, RepliquantError when the
        folder can't be written to.
        """
        todo = outstanding(self.run_folder, chosen, rerun)
        self._tell(RunStarted([item.planned for item in todo], len(chosen) - len(todo)))
        setup = self.setup
        capacity = setup.engine.capacity()
        slots = gpu_slots(setup.gpus, setup.cpus, capacity.cpus)
        at_once = capacity.at_once
        if one_by_one:
            slots, at_once = slots[:1], at_once and 1
        try:
            for name in dict.fromkeys(t.planned.image for t in todo if not t.planned.skip):
                self._image(name)
            with setup.engine.session(self._tell):
                whole = Slot(cpus=setup.cpus)
                untimed = 1 if one_by_one else max(1, len(setup.cpus or capacity.cpus))
                scheduler = Scheduler(slots, whole, self, at_once, untimed)
                # What runs already has its place; nothing may be started beside it.
                todo = sorted(map(self._holding, todo), key=lambda item: item.holds is None)
                self._before.prepare(todo, self._tell)
                return scheduler.work(todo, lambda: self._paused)
        except OSError as error:
            raise disk_error(self.run_folder.folder, error) from error

    @property
    def paused(self) -> bool:
        """Whether no further cell is to be started."""
        return self._paused

    def pause(self) -> None:
        """Start no further cell."""
        self._paused = True

    def cancel(self, reason: str) -> None:
        """Start no further cell and have the running ones end as cancelled."""
        self._paused = self._cancelled = True
        for attempt in list(self._attempts.values()):
            attempt.cancel(reason)

    def kill(self) -> None:
        """End the running cells now."""
        for attempt in list(self._attempts.values()):
            attempt.kill()

    @property
    def waiting(self) -> int:
        """So many cells are left in the engine's queue, or run there."""
        return 0

    @property
    def images_missing(self) -> list[str]:
        """The images that could not be made ready."""
        return [name for name, image in self._images.items() if isinstance(image, str)]

    def run(self, todo: Todo, slot: Slot) -> Manifest:
        """One cell to its manifest; once more when the engine loses it."""
        planned, again = todo.planned, todo.again
        self._tell(CellStarted(planned, again))
        attached = self._attached(planned) if todo.holds is not None else None
        for more in reversed(range(_TRIES)):
            manifest, lost = attached or self._once(planned, again, slot)
            attached = None
            if not lost or not more or self._cancelled:
                break
            again = lost
            self._tell(LogLine(f"{planned.cell.title} is run again: {lost}", "important"))
        if manifest.status == "ok":
            self.setup.estimates.learn(planned.cell, manifest.wall_s, planned.study_estimate_s)
        self._tell(CellEnded(planned, manifest))
        return manifest

    def _holding(self, todo: Todo) -> Todo:
        """With the GPUs that it has, where an earlier orchestrator's attempt still waits or runs.

        It is taken hold of here.
        """
        found = submitted(self.run_folder.cell_folder(todo.planned.id))
        if found is None:
            return todo
        handle, ordered = found
        order = self._order(todo.planned, Slot(tuple(ordered.gpus), tuple(ordered.cpus)))
        if not self.setup.engine.attach(load_image(todo.planned.image), handle, order):
            return todo
        again = "it still runs: followed to its end, not started again"
        self._attachable[todo.planned.id] = Submitted(self.setup.engine, handle)
        return todo._replace(again=again, holds=tuple(ordered.gpus))

    def _attached(self, planned: PlannedCell) -> tuple[Manifest, str]:
        """An earlier orchestrator's attempt to its manifest."""
        folder = self.run_folder.cell_folder(planned.id).resolve()
        ordered = read_struct(folder / FILE_NAME, CellOrder)
        running = self._attachable.pop(planned.id)
        return self._attempted(planned, Attempt(ordered, folder), lambda: running)

    def _once(self, planned: PlannedCell, again: str, slot: Slot) -> tuple[Manifest, str]:
        """One attempt; its manifest, and why the engine lost the cell, if it did."""
        number = self._archive(planned)
        obstacle = planned.skip or self._without_parents(planned)
        image = self._image(planned.image) if not obstacle else ""
        if isinstance(image, str):
            return self._refuse(planned, number, again, obstacle or image), ""
        order = self._order(planned, slot)
        settings = self.setup.engine.container(load_image(planned.image), order)
        context = self._context(image, number, again, settings, order.gpus)
        ordered = launch_order(planned, order, context, self.setup.engine.detaches)
        write_inputs(order.folder, ordered)
        attempt = Attempt(ordered, order.folder)
        return self._attempted(planned, attempt, lambda: self._submit(planned, order))

    def _submit(self, planned: PlannedCell, order: Order) -> Running:
        engine = self.setup.engine
        (handle,) = engine.submit(load_image(planned.image), [order])
        return Submitted(engine, handle)

    def _attempted(
        self, planned: PlannedCell, attempt: Attempt, submit: Callable[[], Running]
    ) -> tuple[Manifest, str]:
        """An attempt to its manifest, and why the engine lost the cell, if it did."""
        self._attempts[planned.id] = attempt
        if self._cancelled:
            attempt.cancel("interrupted")
        try:
            with self._shown(attempt.folder, planned.id):
                manifest = self._follow(planned, attempt, submit)
        finally:
            del self._attempts[planned.id]
        self._tell_strays(planned, attempt)
        if manifest.status == "unsupported" and manifest.transient:
            self.broken.add(planned.id)
        return manifest, attempt.lost

    @contextlib.contextmanager
    def _shown(self, folder: Path, cell: str) -> Iterator[None]:
        """The cell's own samples beside the machine's, for as long as it runs."""
        sampler = self.setup.sampler
        tail = SeriesTail(folder, cell)
        leave = sampler.watch(cell, tail) if sampler else lambda: None
        try:
            yield
        finally:
            leave()

    def _follow(
        self, planned: PlannedCell, attempt: Attempt, submit: Callable[[], Running]
    ) -> Manifest:
        """A cell that can't be started is a result too."""
        try:
            running = submit()
        except EngineGoneError:
            raise
        except RepliquantError as error:
            return attempt.conclude("unsupported", str(error), transient=True)
        try:
            return attempt.follow(running, lambda event: self._tell(CellEvent(planned, event)))
        except EngineGoneError:
            raise
        except RepliquantError as error:  # it left what can't be fetched
            return attempt.conclude("crashed", str(error), transient=False)

    def _tell(self, message: RunMessage) -> None:
        """Several slots may have messages at once; the listener gets one after the other."""
        with self._telling:
            self.setup.tell(message)

    def _tell_strays(self, planned: PlannedCell, attempt: Attempt) -> None:
        if attempt.strays:
            title = planned.cell.title
            self._tell(LogLine(f"{title}: {attempt.strays} lines that are not events were dropped"))

    def _order(self, planned: PlannedCell, slot: Slot) -> Order:
        return order_of(self.setup, self.run_folder, planned, slot)

    def _refuse(self, planned: PlannedCell, number: int, again: str, reason: str) -> Manifest:
        """A cell that has no image or no weights is a result too."""
        image = ImageUsed(name=planned.image, kind="given")
        context = self._context(image, number, again)
        folder = self.run_folder.cell_folder(planned.id)
        ordered = CellOrder(cell=planned.cell, context=context)
        write_inputs(folder, ordered)
        return Attempt(ordered, folder).conclude("unsupported", reason, transient=True)

    def _without_parents(self, planned: PlannedCell) -> str:
        """Why the cells that it needs are not there for it; damage is remembered as such."""
        found = missing_weights(self.run_folder, planned)
        if found.damaged:
            self.broken.add(planned.id)
        return found.reason

    def _image(self, name: str) -> ImageUsed | str:
        """The prepared image, or why there is none; one failure is told once."""
        if name not in self._images:
            try:
                image = load_image(name)
                state = self.setup.engine.status(image)
                if state != "ready":
                    self._tell(LogLine(f"making image {name} ({state})"))
                self._images[name] = self.setup.engine.prepare(image, self._tell)
            except RepliquantError as error:
                self._tell(LogLine(str(error), "important"))
                self._images[name] = str(error).split(" Its last lines:")[0]
        return self._images[name]

    def _context(
        self,
        image: ImageUsed,
        attempt: int,
        again: str,
        settings: Container | None = None,
        gpus: tuple[str, ...] = (),
    ) -> Context:
        return Context(
            engine=self.setup.engine.name,
            image=image,
            kit=self.kit,
            run=self.run_folder.id,
            attempt=attempt,
            command=redacted_command([as_text(argument) for argument in sys.argv]),
            why_again=again,
            container=settings,
            gpus=list(gpus),
            idle=self._before.idle,
        )

    def _archive(self, planned: PlannedCell) -> int:
        """Put an earlier attempt aside, whole; the number of the new one."""
        folder = self.run_folder.cell_folder(planned.id)
        number = 1
        while (self.run_folder.cells / f"{planned.id}.attempt-{number}").exists():
            number += 1
        if not folder.exists():
            return number
        os.rename(folder, self.run_folder.cells / f"{planned.id}.attempt-{number}")
        return number + 1
