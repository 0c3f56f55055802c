"""Running a plan: one cell after another, resuming what was begun, keeping what is done."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from manifests.codec import UnreadableError, write_plan
from manifests.manifest import Context, ImageUsed, Kit, Manifest
from manifests.plan import Plan, PlannedCell
from manifests.store import Run
from orchestrator.attempts import Attempt, write_inputs
from orchestrator.engines import Engine, Order
from orchestrator.errors import InputError, KitError, MachineError
from orchestrator.estimates import Estimates
from orchestrator.images import load_image
from orchestrator.kit import kit
from orchestrator.locks import HeldError, exclusive
from orchestrator.news import CellEnded, CellEvent, CellStarted, Listener, Note, RunStarted


class Means(NamedTuple):
    """What a run works with."""

    engine: Engine
    data: Path
    threads: int
    estimates: Estimates
    tell: Listener


class Todo(NamedTuple):
    """A cell to run, and why again when it was started before."""

    planned: PlannedCell
    again: str


@contextlib.contextmanager
def opened(run: Run, plan: Plan) -> Iterator[None]:
    """Hold the run's folder and store the plan. Raises InputError or MachineError."""
    try:
        run.cells.mkdir(parents=True, exist_ok=True)
        with exclusive(run.folder / "lock"):
            _store_plan(run, plan)
            yield
    except HeldError as error:
        raise InputError(
            f"{run.folder} is in use by {error.holder or 'another process'}. "
            "Wait for it, or choose another folder with --run"
        ) from None
    except OSError as error:
        raise disk_error(run.folder, error) from error


def disk_error(folder: Path, error: OSError) -> MachineError:
    """What to say when the run's folder can't be written to."""
    steps = {
        errno.ENOSPC: "Free some space and start again: finished cells are kept",
        errno.EROFS: "Choose another folder with --run",
        errno.EACCES: "Choose another folder with --run, or mend its permissions",
    }
    step = steps.get(error.errno or 0, "Mend it and start again: finished cells are kept")
    return MachineError(f"{folder} can't be written to: {error.strerror or error}. {step}")


def _store_plan(run: Run, plan: Plan) -> None:
    """Refuse another run's folder; keep an earlier plan whose cells have changed."""
    try:
        old = run.plan()
    except FileNotFoundError:
        write_plan(run.plan_path, plan)
        return
    except UnreadableError as error:
        raise InputError(f"{error}. Choose another folder with --run, or remove the file") from None
    for field in ("study", "tier", "protocol", "dataset", "data_sha256"):
        before, now = getattr(old, field), getattr(plan, field)
        if before != now:
            raise InputError(
                f"{run.folder} holds a run with {field} {before}; this one has {now}. "
                "Choose another folder with --run"
            )
    if [planned.id for planned in old.cells] != [planned.id for planned in plan.cells]:
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        os.replace(run.plan_path, run.folder / f"plan.until-{stamp}.json")
    write_plan(run.plan_path, plan)


def outstanding(run: Run, chosen: list[PlannedCell], rerun: set[str]) -> list[Todo]:
    """The chosen cells that have to run, in order, each with the reason when it ran before.

    ``rerun`` holds statuses and cell ids to run again whatever their manifest says.
    """
    todo: list[Todo] = []
    fresh: set[str] = set()
    for planned in chosen:
        again = _why(run, planned, rerun, fresh)
        if again is not None:
            todo.append(Todo(planned, again))
            fresh.add(planned.id)
    return todo


def _why(run: Run, planned: PlannedCell, rerun: set[str], fresh: set[str]) -> str | None:
    """Why the cell has to run: "" when it never did, None when it needn't."""
    folder = run.cell_folder(planned.id)
    try:
        manifest = run.manifest(planned.id)
    except (UnreadableError, OSError) as error:
        return f"its manifest can't be used: {error}"
    if manifest is None:
        return "it was cut off before it left a manifest" if folder.exists() else ""
    if manifest.status in rerun or planned.id in rerun:
        return f"asked for with --rerun (it was {manifest.status})"
    if fresh.intersection(planned.needs):
        return f"the cell that it starts from ({planned.needs[0]}) is run again"
    if manifest.transient and not _refused_again(run, planned, manifest):
        return f"it was {manifest.status}: {manifest.reason}"
    return None


def _refused_again(run: Run, planned: PlannedCell, manifest: Manifest) -> bool:
    """Whether what kept the cell from running still does: no GPU, or no weights."""
    if manifest.status != "unsupported":
        return False
    parents = [manifest_or_none(run, need) for need in planned.needs]
    return bool(planned.skip) or any(p is None or p.status != "ok" for p in parents)


def manifest_or_none(run: Run, cell_id: str) -> Manifest | None:
    """The manifest of a cell, None also when it can't be used."""
    try:
        return run.manifest(cell_id)
    except (UnreadableError, OSError):
        return None


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
            data=self.means.data.resolve(),
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
