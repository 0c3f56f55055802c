"""Running a plan: one cell after another, every one of them to its manifest."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from manifests.cell import Cell
from manifests.manifest import Context, ImageUsed, Kit, Manifest
from manifests.plan import PlannedCell
from manifests.store import Run
from orchestrator.attempts import Attempt, write_inputs
from orchestrator.engines import Engine, Order
from orchestrator.errors import KitError
from orchestrator.estimates import Estimates
from orchestrator.holding import disk_error
from orchestrator.images import load_image
from orchestrator.kit import kit
from orchestrator.news import CellEnded, CellEvent, CellStarted, Listener, Note, RunStarted
from orchestrator.resuming import Todo, manifest_or_none, outstanding


class Means(NamedTuple):
    """What a run works with. ``data`` gives the folder of a cell's pack."""

    engine: Engine
    data: Callable[[Cell], Path]
    threads: int
    estimates: Estimates
    tell: Listener


class Conductor:
    """Runs the outstanding cells of a run whose folder is held."""

    def __init__(self, run: Run, means: Means) -> None:
        self.run = run
        self.means = means
        self.kit: Kit = kit()
        self._images: dict[str, ImageUsed | str] = {}

    def conduct(self, chosen: list[PlannedCell], rerun: set[str]) -> list[Manifest]:
        """Run what is outstanding; the manifests of the cells that were run.

        Raises KeyboardInterrupt after marking the cell that was cut off, KitError when the
        folder can't be written to.
        """
        todo = outstanding(self.run, chosen, rerun)
        self.means.tell(RunStarted([item.planned for item in todo], len(chosen) - len(todo)))
        ended = []
        try:
            for name in dict.fromkeys(t.planned.image for t in todo if not t.planned.skip):
                self._image(name)
            for item in todo:
                ended.append(self._cell(item))
        except OSError as error:
            raise disk_error(self.run.folder, error) from error
        return ended

    @property
    def images_missing(self) -> list[str]:
        """The images that could not be made ready."""
        return [name for name, image in self._images.items() if isinstance(image, str)]

    def _cell(self, todo: Todo) -> Manifest:
        planned = todo.planned
        attempt_number = self._archive(planned)
        folder = self.run.cell_folder(planned.id)
        self.means.tell(CellStarted(planned, todo.again))
        obstacle = planned.skip or self._missing_weights(planned)
        image = self._image(planned.image) if not obstacle else ""
        if isinstance(image, str):
            manifest = self._refuse(planned, attempt_number, todo.again, obstacle or image)
        else:
            context = self._context(image, attempt_number, todo.again)
            write_inputs(folder, planned.cell, context)
            attempt = Attempt(planned, folder, context)
            manifest = self._follow(attempt)
            self._tell_strays(attempt)
        if manifest.status == "ok":
            self.means.estimates.learn(planned.cell, manifest.wall_s, planned.study_estimate_s)
        self.means.tell(CellEnded(planned, manifest))
        return manifest

    def _follow(self, attempt: Attempt) -> Manifest:
        planned = attempt.planned
        image = load_image(planned.image)
        running = self.means.engine.start(image, self._order(attempt))
        try:
            return attempt.follow(running, lambda event: self.means.tell(CellEvent(planned, event)))
        except KeyboardInterrupt:
            self.means.tell(CellEnded(planned, attempt.after_interrupt(running)))
            raise

    def _tell_strays(self, attempt: Attempt) -> None:
        if attempt.strays:
            title = attempt.planned.cell.title
            self.means.tell(
                Note(f"{title}: {attempt.strays} lines that are no events were dropped")
            )

    def _order(self, attempt: Attempt) -> Order:
        parent = attempt.planned.cell.weights_from
        return Order(
            folder=attempt.folder.resolve(),
            data=self.means.data(attempt.planned.cell).resolve(),
            weights=self.run.cell_folder(parent).resolve() if parent else None,
            threads=self.means.threads,
        )

    def _refuse(self, planned: PlannedCell, number: int, again: str, reason: str) -> Manifest:
        """A cell that can't be started is a result too."""
        image = ImageUsed(name=planned.image, kind="given")
        context = self._context(image, number, again)
        folder = self.run.cell_folder(planned.id)
        write_inputs(folder, planned.cell, context)
        return Attempt(planned, folder, context).conclude("unsupported", reason, transient=True)

    def _missing_weights(self, planned: PlannedCell) -> str:
        for need in planned.needs:
            manifest = manifest_or_none(self.run, need)
            if manifest is None or manifest.status != "ok":
                state = manifest.status if manifest else "not run"
                return f"starts from the weights of cell {need}, which is {state}"
        return ""

    def _image(self, name: str) -> ImageUsed | str:
        """The prepared image, or why there is none; one failure is told once."""
        if name not in self._images:
            try:
                image = load_image(name)
                state = self.means.engine.status(image)
                if state != "ready":
                    self.means.tell(Note(f"making image {name} ({state})"))
                self._images[name] = self.means.engine.prepare(
                    image, lambda line: self.means.tell(Note(line, "detail"))
                )
            except KitError as error:
                self.means.tell(Note(str(error), "important"))
                self._images[name] = str(error).split(" Its last lines:")[0]
        return self._images[name]

    def _context(self, image: ImageUsed, attempt: int, again: str) -> Context:
        return Context(
            engine=self.means.engine.name,
            image=image,
            kit=self.kit,
            run=self.run.id,
            attempt=attempt,
            command=sys.argv,
            why_again=again,
        )

    def _archive(self, planned: PlannedCell) -> int:
        """Put an earlier attempt aside, whole; the number of the new one."""
        folder = self.run.cell_folder(planned.id)
        number = 1
        while (self.run.cells / f"{planned.id}.attempt-{number}").exists():
            number += 1
        if not folder.exists():
            return number
        os.rename(folder, self.run.cells / f"{planned.id}.attempt-{number}")
        return number + 1
