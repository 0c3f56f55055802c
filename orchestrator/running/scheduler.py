"""Lanes: how many cells may run at once, and what each of them has to itself.

A cell on a processor has the machine to itself, or its times would mean nothing. Cells on
GPUs run side by side, one a GPU, each with processors of its own.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from manifests.manifest import Manifest
from orchestrator.planning.resuming import Todo


class Lane(NamedTuple):
    """A place for one cell: numbers of its GPUs and of its processors (empty: all)."""

    gpus: tuple[str, ...] = ()
    cpus: tuple[int, ...] = ()


def gpu_lanes(gpus: Sequence[str], cpus: tuple[int, ...], usable: Sequence[int]) -> list[Lane]:
    """One lane a GPU; two or more share the processors out in slices of one size.

    ``cpus`` are the chosen processors; empty means all of the ``usable`` ones, which only
    have to be named when they are shared out. Too few to share out are used by all lanes.
    """
    every = cpus or tuple(usable)
    share = len(every) // max(1, len(gpus))
    if len(gpus) < 2 or not share:
        return [Lane((gpu,), cpus) for gpu in gpus]
    slices = [every[i * share : (i + 1) * share] for i in range(len(gpus))]
    return [Lane((gpu,), part) for gpu, part in zip(gpus, slices, strict=True)]


class Worker(Protocol):
    """What runs a cell, and ends those that run."""

    def run(self, todo: Todo, lane: Lane) -> Manifest:
        """Run one cell to its manifest."""

    def cancel(self, reason: str) -> None:
        """Ask every running cell to end."""

    def kill(self) -> None:
        """End every running cell now."""


class _Turn(NamedTuple):
    todo: Todo
    lane: Lane


class Lanes:
    """Starts cells in their order, each as soon as its lane and its weights are there.

    None overtakes another, so that what is interleaved stays interleaved.
    """

    def __init__(self, lanes: list[Lane], whole: Lane, worker: Worker) -> None:
        """``lanes`` are for cells on GPUs, ``whole`` is for one that wants the machine."""
        self._free = list(lanes)
        self._whole = whole
        self._threads = max(1, len(lanes))
        self._any_gpu = bool(lanes)
        self._worker = worker
        self._running: dict[concurrent.futures.Future[Manifest], _Turn] = {}
        self._busy = threading.Condition()
        self._active = 0
        self._closed = False

    def work(self, todo: list[Todo], paused: Callable[[], bool]) -> list[Manifest]:
        """Run ``todo`` to its end; no further cell starts once ``paused`` says so.

        Raises what a cell raised, and KeyboardInterrupt, after the running cells have ended.
        """
        ended: list[Manifest] = []
        waiting = list(todo)
        with concurrent.futures.ThreadPoolExecutor(self._threads, "lane") as pool:
            try:
                while self._running or (waiting and not paused()):
                    while waiting and not paused() and (lane := self._lane_for(waiting[0])):
                        turn = _Turn(waiting.pop(0), lane)
                        self._running[pool.submit(self._run, turn)] = turn
                    ended += self._await_one()
            except BaseException as error:
                interrupted = isinstance(error, KeyboardInterrupt)
                self._wind_up("interrupted" if interrupted else str(error))
                raise
        return ended

    def _lane_for(self, todo: Todo) -> Lane | None:
        """A lane that this cell can have now; it is taken."""
        running = self._running.values()
        if any(turn.lane is self._whole for turn in running):
            return None
        if todo.planned.cell.device == "cpu" or todo.planned.skip or not self._any_gpu:
            return None if self._running else self._whole
        if not self._free or {turn.todo.planned.id for turn in running} & set(todo.planned.needs):
            return None
        return self._free.pop(0)

    def _await_one(self) -> list[Manifest]:
        done, _ = concurrent.futures.wait(
            self._running, return_when=concurrent.futures.FIRST_COMPLETED
        )
        for future in done:
            lane = self._running.pop(future).lane
            if lane is not self._whole:
                self._free.append(lane)
        return [future.result() for future in done]

    def _run(self, turn: _Turn) -> Manifest:
        """On a thread. Ctrl-C can hit the pool while it starts one, so it is counted here."""
        with self._busy:
            if self._closed:
                raise concurrent.futures.CancelledError
            self._active += 1
        try:
            return self._worker.run(*turn)
        finally:
            with self._busy:
                self._active -= 1
                self._busy.notify_all()

    def _wind_up(self, reason: str) -> None:
        """Ask the running cells to end and wait; a second Ctrl-C kills them."""
        try:
            with self._busy:
                self._closed = True
            self._worker.cancel(reason)
            self._await_all()
        except KeyboardInterrupt:
            self._worker.kill()
            self._await_all()

    def _await_all(self) -> None:
        with self._busy:
            self._busy.wait_for(lambda: not self._active)
