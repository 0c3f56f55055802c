"""Running a plan through a queue: what is outstanding is submitted, and nobody has to stay.

The same command again finds by the handles in the cells' folders what waits or runs, concludes
what ended without a word, and submits what is missing.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from machine.seal import MANIFEST
from manifests.bundle import BEGUN, Begun
from manifests.errors import InputError
from manifests.manifest import Manifest
from manifests.order import FILE_NAME
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.engines.base import HANDLE, Handle
from orchestrator.engines.queue import Bundle, Job, Queue
from orchestrator.environments.images import load_image
from orchestrator.messages import CellEnded, CellStarted, LogLine, RunStarted
from orchestrator.planning.bundles import Comparison, Group, comparison_of, group
from orchestrator.planning.resuming import Todo, manifest_or_none, outstanding
from orchestrator.running.attempt import Attempt, write_inputs
from orchestrator.running.executor import Executor
from orchestrator.running.leftovers import handed_over
from orchestrator.running.orders import Setup, launch_order
from orchestrator.running.run_lock import disk_error
from orchestrator.running.scheduler import Slot

_TRIES = 3
_LOOK_S = 1.0
_INPUTS = frozenset(["cell.json", "context.json", FILE_NAME, HANDLE])
_NEVER = "its job ended before it was begun"


class _Waiting(NamedTuple):
    """A cell that waits or runs, by its handle."""

    planned: PlannedCell
    handle: Handle


class QueueExecutor(Executor):
    """Submits the outstanding cells of a run whose folder is held; ``wait``: follows them, too."""

    def __init__(self, run: Run, setup: Setup, queue: Queue, wait: bool) -> None:
        super().__init__(run, setup)
        if setup.cpus:
            raise InputError(
                f"--cpus: the engine {queue.name} takes processors as its scheduler gives them. "
                "Say how many in its settings"
            )
        self._queue = queue
        self._wait = wait
        self._loaded = functools.cache(load_image)
        self._waiting: dict[str, _Waiting] = {}
        self._started: set[str] = set()

    @property
    def waiting(self) -> int:
        """So many cells wait or run."""
        return len(self._waiting)

    def execute(
        self, chosen: list[PlannedCell], rerun: set[str], one_by_one: bool = False
    ) -> list[Manifest]:
        """See the base. Cells that wait or run when it returns have no manifest yet."""
        try:
            with self.setup.engine.session(self._tell):
                return self._execute(chosen, rerun)
        except OSError as error:
            raise disk_error(self.run_folder.folder, error) from error

    def cancel(self, reason: str) -> None:
        """Have all end; what is interrupted at the terminal goes on, though."""
        self._paused = self._cancelled = True
        waiting = list(self._waiting.values())
        self._queue.withdraw([one.handle for one in waiting], "cancelled", reason)

    def kill(self) -> None:
        self.cancel("killed")

    def _execute(self, chosen: list[PlannedCell], rerun: set[str]) -> list[Manifest]:
        ended: list[Manifest] = []
        lost = self._settle(chosen, ended)
        todo = self._missing(chosen, rerun, lost)
        started = [one.planned for one in self._waiting.values()]
        kept = len(chosen) - len(todo) - len(started)
        self._tell(RunStarted([*started, *(item.planned for item in todo)], kept))
        for more in reversed(range(_TRIES)):
            left = self._hand_over(todo, ended)
            if not self._wait or self._paused:
                break
            lost = self._follow_all(ended)
            again = {item.planned.id for item in left} | lost.keys()
            todo = [item for item in self._missing(chosen, set(), lost) if item.planned.id in again]
            if not todo or (not more and not left):
                break
        return ended

    def _missing(
        self, chosen: list[PlannedCell], rerun: set[str], lost: dict[str, str]
    ) -> list[Todo]:
        """What is outstanding and neither waits nor runs."""
        found = outstanding(self.run_folder, chosen, rerun)
        return [
            item._replace(again=lost.get(item.planned.id, item.again))
            for item in found
            if item.planned.id not in self._waiting
        ]

    def _settle(self, chosen: Iterable[PlannedCell], ended: list[Manifest]) -> dict[str, str]:
        """Take hold of what waits or runs, and conclude what has ended without a manifest.

        Gives the cells to be run again, by id, with the reason.
        """
        lost: dict[str, str] = {}
        for planned in chosen:
            manifest = manifest_or_none(self.run_folder, planned.id)
            if manifest is not None and not manifest.transient:
                continue
            folder = self.run_folder.cell_folder(planned.id).resolve()
            found = handed_over(folder)
            if found is None or found[0].engine != self._queue.name:
                continue
            order = self._order(planned, Slot())
            if self._queue.attach(self._loaded(planned.image), found[0], order):
                self._waiting[planned.id] = _Waiting(planned, found[0])
            elif manifest is None:
                self._conclude(_Waiting(planned, found[0]), ended, lost)
        return lost

    def _conclude(self, one: _Waiting, ended: list[Manifest], lost: dict[str, str]) -> None:
        """A cell that neither waits nor runs: to its manifest, or to be run again."""
        planned = one.planned
        folder = self.run_folder.cell_folder(planned.id).resolve()
        exit_ = self._queue.collect(one.handle)
        begun = self._begun_at(planned)
        if exit_.lost and begun is None and not (folder / MANIFEST).exists():
            lost[planned.id] = exit_.lost or _NEVER
            return
        found = handed_over(folder)
        if found is None:
            lost[planned.id] = _NEVER
            return
        attempt = Attempt(found[1], folder, begun or "")
        manifest = attempt.end(exit_)
        if attempt.lost:
            lost[planned.id] = attempt.lost
            return
        if manifest.status == "unsupported" and manifest.transient:
            self.broken.add(planned.id)
        ended.append(manifest)
        self._told(planned, manifest)

    def _begun_at(self, planned: PlannedCell) -> str | None:
        """When its job began it; None where none has."""
        path = self.run_folder.cell_folder(planned.id) / BEGUN
        try:
            return msgspec.json.decode(path.read_bytes(), type=Begun).began_at
        except (OSError, msgspec.MsgspecError):
            return None

    def _told(self, planned: PlannedCell, manifest: Manifest) -> None:
        if planned.id not in self._started:
            self._tell(CellStarted(planned, ""))
        if manifest.status == "ok":
            self.setup.estimates.learn(planned.cell, manifest.wall_s, planned.study_estimate_s)
        self._tell(CellEnded(planned, manifest))

    def _hand_over(self, todo: Sequence[Todo], ended: list[Manifest]) -> list[Todo]:
        """Write orders and hand them over; what the scheduler does not take now is given back."""
        for name in dict.fromkeys(t.planned.image for t in todo if not t.planned.skip):
            self._image(name)
        able = [item for item in todo if self._able(item, ended)]
        if not able:
            return []
        again = {item.planned.id: item for item in able}
        groups = group(
            [item.planned for item in able], self._queue.short_s, self._nodes_of_partners()
        )
        bundles = [self._bundle(one, again) for one in groups]
        done = self._queue.enqueue(bundles, self._tell)
        left = {job.order.cell for bundle in done.left for job in bundle.jobs}
        self._note([item for item in able if item.planned.id not in left])
        tasks = len(bundles) - len(done.left)
        jobs = ", ".join(done.jobs[:8]) + (" ..." if len(done.jobs) > 8 else "")
        self._tell(LogLine(f"{len(able) - len(left)} cells submitted: {tasks} jobs ({jobs})"))
        if done.left:
            more = f"{len(left)} cells are not submitted yet: {done.why_left}"
            self._tell(LogLine(f"{more}. The same command submits them later", "important"))
        return [item for item in able if item.planned.id in left]

    def _note(self, submitted: Iterable[Todo]) -> None:
        """Hold on to what was handed over."""
        for item in submitted:
            planned = item.planned
            found = handed_over(self.run_folder.cell_folder(planned.id).resolve())
            if found is not None:
                order = self._order(planned, Slot())
                self._queue.attach(self._loaded(planned.image), found[0], order)
                self._waiting[planned.id] = _Waiting(planned, found[0])

    def _able(self, item: Todo, ended: list[Manifest]) -> bool:
        """Whether a cell can be submitted; one that can't has its manifest now."""
        planned = item.planned
        image = self._image(planned.image) if not planned.skip else ""
        obstacle = planned.skip or (image if isinstance(image, str) else "")
        if not obstacle:
            return True
        manifest = self._refuse(planned, self._archive(planned), item.again, obstacle)
        ended.append(manifest)
        self._told(planned, manifest)
        return False

    def _bundle(self, one: Group, again: dict[str, Todo]) -> Bundle:
        jobs = [self._job(again[planned.id]) for planned in one.cells]
        first = one.cells[0].cell
        limit_s = sum(planned.timeout_s for planned in one.cells)
        return Bundle(tuple(jobs), one.level, limit_s, first.device == "gpu", one.node)

    def _job(self, item: Todo) -> Job:
        """Write what a cell is handed over with."""
        planned = item.planned
        number = self._cleared(planned)
        image = self._image(planned.image)
        assert not isinstance(image, str)
        order = self._order(planned, Slot())._replace(after=self._after(planned))
        context = self._context(image, number, item.again)
        write_inputs(
            order.folder, launch_order(planned, order, context, outlives=True), durable=False
        )
        return Job(self._loaded(planned.image), order)

    def _after(self, planned: PlannedCell) -> tuple[str, ...]:
        """The cells that it starts from and that have not ended well yet."""
        found = ((need, manifest_or_none(self.run_folder, need)) for need in planned.needs)
        return tuple(need for need, one in found if one is None or one.status != "ok")

    def _cleared(self, planned: PlannedCell) -> int:
        """As ``_archive``; of an attempt that was never begun nothing is kept."""
        folder = self.run_folder.cell_folder(planned.id)
        names = {path.name for path in folder.iterdir()} if folder.exists() else set()
        if names and names <= _INPUTS:
            for name in names:
                (folder / name).unlink()
            folder.rmdir()
        return self._archive(planned)

    def _nodes_of_partners(self) -> dict[Comparison, str]:
        """Where cells of a comparison have run: what is missing of it has to run there, too."""
        nodes: dict[Comparison, str] = {}
        plan = self.run_folder.plan()
        for planned in plan.cells:
            manifest = manifest_or_none(self.run_folder, planned.id)
            context = manifest.context if manifest and not manifest.transient else None
            if context is not None and context.allocation is not None:
                nodes[comparison_of(planned)] = context.allocation.node
        return nodes

    def _follow_all(self, ended: list[Manifest]) -> dict[str, str]:
        """Until nothing waits or runs; the cells to be run again, with the reason."""
        lost: dict[str, str] = {}
        while self._waiting and not self._paused:
            for one in list(self._waiting.values()):
                self._look(one, ended, lost)
            if self._waiting:
                time.sleep(_LOOK_S)
        return lost

    def _look(self, one: _Waiting, ended: list[Manifest], lost: dict[str, str]) -> None:
        planned = one.planned
        state = self._queue.poll(one.handle)
        if planned.id not in self._started and state != "queued":
            self._started.add(planned.id)
            self._tell(CellStarted(planned, ""))
        if state in ("ended", "gone"):
            del self._waiting[planned.id]
            self._conclude(one, ended, lost)
            if planned.id in lost:
                self._started.discard(planned.id)
                text = f"{planned.cell.title} is run again: {lost[planned.id]}"
                self._tell(LogLine(text, "important"))
