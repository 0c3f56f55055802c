"""Slots: how many cells may run at once, and what each of them has to itself.

A cell on a processor has the machine to itself, or its times would mean nothing. Cells on
GPUs run side by side, one a GPU, each with processors of its own. Of probes nothing is timed: they
run beside one another, as many as there are processors.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from manifests.manifest import Manifest
from orchestrator.planning.resuming import Todo
from orchestrator.running.deferred_signals import deferred

# A Ctrl-C that another thread took, or that came just before a wait began, wakes nobody.
_LOOK_S = 1.0


class Slot(NamedTuple):
    """A place for one cell: numbers of its GPUs and of its processors (empty: all)."""

    gpus: tuple[str, ...] = ()
    cpus: tuple[int, ...] = ()


def gpu_slots(gpus: Sequence[str], cpus: tuple[int, ...], usable: Sequence[int]) -> list[Slot]:
    """One slot a GPU; two or more share the processors out in slices of one size.

    ``cpus`` are the chosen processors; empty means all of the ``usable`` ones, which only
    have to be named when they are shared out. Too few to share out are used by all slots.
    """
    every = cpus or tuple(usable)
    share = len(every) // max(1, len(gpus))
    if len(gpus) < 2 or not share:
        return [Slot((gpu,), cpus) for gpu in gpus]
    slices = [every[i * share : (i + 1) * share] for i in range(len(gpus))]
    return [Slot((gpu,), part) for gpu, part in zip(gpus, slices, strict=True)]


class Worker(Protocol):
    """What runs a cell, and ends those that run."""

    def run(self, todo: Todo, slot: Slot) -> Manifest:
        """Run one cell to its manifest."""

    def cancel(self, reason: str) -> None:
        """Ask every running cell to end."""

    def kill(self) -> None:
        """End every running cell now."""


class _Assignment(NamedTuple):
    todo: Todo
    slot: Slot


class _Beside(Slot):
    """The whole machine for one of several that share it."""

    def __new__(cls, whole: Slot) -> _Beside:
        return super().__new__(cls, *whole)


def is_untimed(todo: Todo) -> bool:
    """Whether a cell's results are no times."""
    return todo.planned.cell.task == "probe" and todo.planned.cell.device == "cpu"


class Scheduler:
    """Starts cells in their order, each as soon as its slot and its weights are there.

    None overtakes another, so that what is interleaved stays interleaved.
    """

    def __init__(
        self,
        slots: list[Slot],
        whole: Slot,
        worker: Worker,
        at_once: int | None = None,
        untimed: int = 1,
    ) -> None:
        """``slots`` are for cells on GPUs, ``whole`` is for one that wants the machine.

        ``at_once``: so many cells have a machine each, whatever they run on. ``untimed``: so many
        cells of which nothing is timed share one.
        """
        self._own_machines = at_once is not None
        self._free = [Slot() for _ in range(at_once)] if at_once is not None else list(slots)
        self._whole = whole
        self._untimed = untimed
        self._threads = max(1, len(self._free), untimed)
        self._any_gpu = bool(slots)
        self._worker = worker
        self._running: dict[concurrent.futures.Future[Manifest], _Assignment] = {}
        self._busy = threading.Condition()
        self._active = 0
        self._closed = False

    def work(self, todo: list[Todo], paused: Callable[[], bool]) -> list[Manifest]:
        """Run ``todo`` to its end; no further cell starts once ``paused`` says so.

        Raises what a cell raised, and KeyboardInterrupt, after the running cells have ended.
        """
        ended: list[Manifest] = []
        waiting = list(todo)
        with concurrent.futures.ThreadPoolExecutor(self._threads, "slot") as pool:
            try:
                while self._running or (waiting and not paused()):
                    while waiting and not paused() and (slot := self._slot_for(waiting[0])):
                        assignment = _Assignment(waiting.pop(0), slot)
                        with deferred():
                            self._running[pool.submit(self._run, assignment)] = assignment
                    ended += self._await_one()
            except BaseException as error:
                self._wind_up(error)
                raise
        return ended

    def _slot_for(self, todo: Todo) -> Slot | None:
        """A slot that this cell can have now; it is taken."""
        running = self._running.values()
        if is_untimed(todo) and not self._own_machines:
            beside = all(is_untimed(assignment.todo) for assignment in running)
            return _Beside(self._whole) if beside and len(running) < self._untimed else None
        if any(a.slot is self._whole or isinstance(a.slot, _Beside) for a in running):
            return None
        shared = not self._own_machines
        on_processor = todo.planned.cell.device == "cpu" or todo.planned.skip
        if shared and (on_processor or not self._any_gpu):
            return None if self._running else self._whole
        if not self._free or {assignment.todo.planned.id for assignment in running} & set(
            todo.planned.needs
        ):
            return None
        own = [number for number, slot in enumerate(self._free) if slot.gpus == todo.holds]
        return self._free.pop(own[0] if own else 0)

    def _await_one(self) -> list[Manifest]:
        done, _ = concurrent.futures.wait(
            self._running, _LOOK_S, return_when=concurrent.futures.FIRST_COMPLETED
        )
        for future in done:
            slot = self._running.pop(future).slot
            if slot is not self._whole and not isinstance(slot, _Beside):
                self._free.append(slot)
        return [future.result() for future in done]

    def _run(self, assignment: _Assignment) -> Manifest:
        """On a thread. Ctrl-C can hit the pool while it starts one, so it is counted here."""
        with self._busy:
            if self._closed:
                raise concurrent.futures.CancelledError
            self._active += 1
        try:
            return self._worker.run(*assignment)
        finally:
            with self._busy:
                self._active -= 1
                self._busy.notify_all()

    def _wind_up(self, error: BaseException) -> None:
        """Ask the running cells to end and wait; a Ctrl-C on the way kills them."""
        try:
            with self._busy:
                self._closed = True
            interrupted = isinstance(error, KeyboardInterrupt)
            self._worker.cancel("interrupted" if interrupted else str(error))
            self._await_all()
        except KeyboardInterrupt:
            self._worker.kill()
            self._await_all()

    def _await_all(self) -> None:
        with self._busy:
            while self._active:
                self._busy.wait(_LOOK_S)
