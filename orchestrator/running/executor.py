"""Running a plan: every cell of it to its manifest."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from machine.sampler import Sampler
from manifests.artifacts import fault
from manifests.cell import Cell
from manifests.credentials import redacted_command
from manifests.errors import EngineGoneError, KitError
from manifests.files import as_text
from manifests.manifest import Container, Context, ImageUsed, Kit, Manifest
from manifests.order import GRACE_S, CellOrder, path_text
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.engines import Engine, Order
from orchestrator.environments.images import load_image
from orchestrator.messages import (
    CellEnded,
    CellEvent,
    CellStarted,
    Listener,
    News,
    Note,
    RunStarted,
)
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.resuming import Todo, manifest_or_none, outstanding
from orchestrator.running.attempt import Attempt, write_inputs
from orchestrator.running.run_lock import disk_error
from orchestrator.running.scheduler import Lane, Lanes, gpu_lanes
from orchestrator.telemetry.series_tail import SeriesTail
from orchestrator.version import kit

_TRIES = 3


class Means(NamedTuple):
    """What a run works with. ``data`` gives the folder of a cell's pack, ``pretrained`` that of
    the published weights it starts from.

    ``sampler`` is the screen's; it is shown how the cells fare.
    """

    engine: Engine
    data: Callable[[Cell], Path]
    threads: int
    estimates: Estimates
    tell: Listener
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    memory_bytes: int | None = None
    sampler: Sampler | None = None
    pretrained: Callable[[Cell], Path | None] = lambda cell: None


class Conductor:
    """Runs the outstanding cells of a run whose folder is held.

    ``pause`` and ``cancel`` may be called from other threads.
    """

    def __init__(self, run: Run, means: Means) -> None:
        self.run_folder = run
        self.means = means
        self.kit: Kit = kit()
        self.broken: set[str] = set()  # ids of cells that something kept from running
        self._images: dict[str, ImageUsed | str] = {}
        self._attempts: dict[str, Attempt] = {}
        self._cancelled = self._paused = False
        self._telling = threading.Lock()

    def conduct(self, chosen: list[PlannedCell], rerun: set[str]) -> list[Manifest]:
        """Run what is outstanding; the manifests of the cells that were run.

        Raises KeyboardInterrupt after marking the cells that were cut off, KitError when the
        folder can't be written to.
        """
        todo = outstanding(self.run_folder, chosen, rerun)
        self._tell(RunStarted([item.planned for item in todo], len(chosen) - len(todo)))
        means = self.means
        lanes = gpu_lanes(means.gpus, means.cpus, means.engine.cpus())
        try:
            for name in dict.fromkeys(t.planned.image for t in todo if not t.planned.skip):
                self._image(name)
            with means.engine.session(self._tell):
                whole = Lane(cpus=means.cpus)
                return Lanes(lanes, whole, self).work(todo, lambda: self._paused)
        except OSError as error:
            raise disk_error(self.run_folder.folder, error) from error

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
    def images_missing(self) -> list[str]:
        """The images that could not be made ready."""
        return [name for name, image in self._images.items() if isinstance(image, str)]

    def run(self, todo: Todo, lane: Lane) -> Manifest:
        """One cell to its manifest; once more when the engine loses it."""
        planned, again = todo
        self._tell(CellStarted(planned, again))
        for more in reversed(range(_TRIES)):
            manifest, lost = self._once(planned, again, lane)
            if not lost or not more or self._cancelled:
                break
            again = lost
            self._tell(Note(f"{planned.cell.title} is run again: {lost}", "important"))
        if manifest.status == "ok":
            self.means.estimates.learn(planned.cell, manifest.wall_s, planned.study_estimate_s)
        self._tell(CellEnded(planned, manifest))
        return manifest

    def _once(self, planned: PlannedCell, again: str, lane: Lane) -> tuple[Manifest, str]:
        """One attempt; its manifest, and why the engine lost the cell, if it did."""
        number = self._archive(planned)
        obstacle = planned.skip or self._missing_weights(planned)
        image = self._image(planned.image) if not obstacle else ""
        if isinstance(image, str):
            return self._refuse(planned, number, again, obstacle or image), ""
        order = self._order(planned, lane)
        settings = self.means.engine.container(load_image(planned.image), order)
        context = self._context(image, number, again, settings, order.gpus)
        ordered = self._cell_order(planned, order, context)
        write_inputs(order.folder, ordered)
        attempt = Attempt(ordered, order.folder)
        self._attempts[planned.id] = attempt
        if self._cancelled:
            attempt.cancel("interrupted")
        try:
            with self._shown(order):
                manifest = self._follow(planned, attempt, order)
        finally:
            del self._attempts[planned.id]
        self._tell_strays(planned, attempt)
        if manifest.status == "unsupported" and manifest.transient:
            self.broken.add(planned.id)
        return manifest, attempt.lost

    def _cell_order(self, planned: PlannedCell, order: Order, context: Context) -> CellOrder:
        """What its launcher gets."""
        return CellOrder(
            cell=planned.cell,
            context=context,
            threads=order.threads,
            cpus=list(order.cpus),
            gpus=list(order.gpus),
            memory_bytes=order.memory_bytes,
            timeout_s=planned.timeout_s,
            grace_s=GRACE_S,
            data=path_text(order.data),
            weights=path_text(order.weights),
            pretrained=path_text(order.pretrained),
        )

    @contextlib.contextmanager
    def _shown(self, order: Order) -> Iterator[None]:
        """The cell's own samples beside the machine's, for as long as it runs."""
        with contextlib.ExitStack() as stack:
            if self.means.sampler is not None:
                tail = SeriesTail(order.folder, order.cell)
                stack.callback(self.means.sampler.watch(order.cell, tail))
            yield

    def _follow(self, planned: PlannedCell, attempt: Attempt, order: Order) -> Manifest:
        """A cell that can't be started is a result too."""
        try:
            running = self.means.engine.start(load_image(planned.image), order)
        except EngineGoneError:
            raise
        except KitError as error:
            return attempt.conclude("unsupported", str(error), transient=True)
        try:
            return attempt.follow(running, lambda event: self._tell(CellEvent(planned, event)))
        except EngineGoneError:
            raise
        except KitError as error:  # it left what can't be fetched
            return attempt.conclude("crashed", str(error), transient=False)

    def _tell(self, news: News) -> None:
        """Several lanes may have news at once; the listener gets one after the other."""
        with self._telling:
            self.means.tell(news)

    def _tell_strays(self, planned: PlannedCell, attempt: Attempt) -> None:
        if attempt.strays:
            title = planned.cell.title
            self._tell(Note(f"{title}: {attempt.strays} lines that are no events were dropped"))

    def _order(self, planned: PlannedCell, lane: Lane) -> Order:
        parent = planned.cell.weights_from
        means = self.means
        return Order(
            run=self.run_folder.id,
            cell=planned.id,
            folder=self.run_folder.cell_folder(planned.id).resolve(),
            data=means.data(planned.cell).resolve(),
            weights=self.run_folder.cell_folder(parent).resolve() if parent else None,
            threads=means.threads,
            cpus=lane.cpus,
            gpus=lane.gpus,
            memory_bytes=means.memory_bytes,
            pretrained=means.pretrained(planned.cell),
        )

    def _refuse(self, planned: PlannedCell, number: int, again: str, reason: str) -> Manifest:
        """A cell that has no image or no weights is a result too."""
        image = ImageUsed(name=planned.image, kind="given")
        context = self._context(image, number, again)
        folder = self.run_folder.cell_folder(planned.id)
        ordered = CellOrder(cell=planned.cell, context=context)
        write_inputs(folder, ordered)
        return Attempt(ordered, folder).conclude("unsupported", reason, transient=True)

    def _missing_weights(self, planned: PlannedCell) -> str:
        for need in planned.needs:
            manifest = manifest_or_none(self.run_folder, need)
            if manifest is None or manifest.status != "ok":
                state = manifest.status if manifest else "not run"
                return f"starts from the weights of cell {need}, which is {state}"
            damaged = self._damaged(need, manifest)
            if damaged:
                self.broken.add(planned.id)
                return damaged
        return ""

    def _damaged(self, need: str, manifest: Manifest) -> str:
        """What has become of the files that a cell left, and what to do about it."""
        folder = self.run_folder.cell_folder(need)
        found = [fault(folder, artifact) for artifact in manifest.artifacts]
        wrong = "; ".join(item.text for item in found if item is not None)
        return (
            f"starts from cell {need}, whose {wrong}. Make it again: --rerun {need}"
            if wrong
            else ""
        )

    def _image(self, name: str) -> ImageUsed | str:
        """The prepared image, or why there is none; one failure is told once."""
        if name not in self._images:
            try:
                image = load_image(name)
                state = self.means.engine.status(image)
                if state != "ready":
                    self._tell(Note(f"making image {name} ({state})"))
                self._images[name] = self.means.engine.prepare(image, self._tell)
            except KitError as error:
                self._tell(Note(str(error), "important"))
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
            engine=self.means.engine.name,
            image=image,
            kit=self.kit,
            run=self.run_folder.id,
            attempt=attempt,
            command=redacted_command([as_text(argument) for argument in sys.argv]),
            why_again=again,
            container=settings,
            gpus=list(gpus),
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
