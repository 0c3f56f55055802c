"""The engine ``slurm``: cells are tasks of arrays on a cluster whose nodes see the run's folder."""

from __future__ import annotations

import contextlib
import itertools
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

from manifests import paths
from manifests.errors import MachineError
from manifests.files import write_atomically
from manifests.manifest import Container, ImageUsed, Status
from orchestrator.engines.base import (
    Capacity,
    Exit,
    Handle,
    Order,
    Standing,
    State,
    Tell,
    Where,
)
from orchestrator.engines.events_tail import EventsTail
from orchestrator.engines.live_cells import read_handle
from orchestrator.engines.local_processes import LocalEngine
from orchestrator.engines.queue import Bundle, Enqueued, Job
from orchestrator.engines.slurm import arrays, script
from orchestrator.engines.slurm.client import Client, LimitError, Limits, SilentError
from orchestrator.engines.slurm.configuration import SlurmSettings, read_settings
from orchestrator.engines.slurm.tasks import Tasks
from orchestrator.environments.images import Image
from orchestrator.messages import LogLine

_SUBMIT_TRIES = 4
_LOOK_S = 0.5
_GPU = "gpu"
_ELSEWHERE = Where(None, elsewhere=True, reason="it runs on a node of the cluster")


class SlurmEngine:
    """Environments are those of the local engine, in a cache that the nodes see as well."""

    name = "slurm"
    limits_memory = True
    detaches = True

    def __init__(self, images: LocalEngine | None = None, client: Client | None = None) -> None:
        """``client`` instead of one with the patience that the settings say.

        Raises InputError for settings that can't be used, MachineError without Slurm.
        """
        self._images = images or LocalEngine()
        first = read_settings()
        self.client = client or Client(first.ask_s, first.pause_s)
        self.limits: Limits = self.client.limits()
        self.settings: SlurmSettings = read_settings(self.limits.cluster)
        if client is None:
            self.client.ask_s = self.settings.ask_s
        self.short_s = self.settings.bundle_s
        self._tasks = Tasks(self.client, self.settings)
        self._tails: dict[str, EventsTail] = {}

    @property
    def words(self) -> str:
        return f"Slurm, cluster {self.limits.cluster}" if self.limits.cluster else "Slurm"

    def capacity(self) -> Capacity:
        """``cpus`` count those of the smallest node, since a cell may get any."""
        cpus, gpus = self._nodes
        return Capacity(tuple(range(cpus)), gpus, at_once=1, queues=True, here=False)

    @cached_property
    def _nodes(self) -> tuple[int, tuple[str, ...]]:
        wanted = self.settings.partition
        nodes = [
            node for node in self.client.nodes()
            if node.partition in wanted.split(",") or (node.default and not wanted)
        ]  # fmt: skip
        if not nodes:
            raise MachineError(
                f"Slurm has no node in {f'partition {wanted}' if wanted else 'a default partition'}"
                ". Give partition in [slurm], or --slurm partition=NAME; see: sinfo"
            )
        gpus = ("0",) if any(_GPU in node.gres for node in nodes) else ()
        return self.settings.cpus_per_task or min(node.cpus for node in nodes), gpus

    def obstacle(self, image: Image) -> str:
        return self._images.obstacle(image)

    def unavailable(self, image: Image) -> str:
        return self._images.unavailable(image)

    def status(self, image: Image) -> str:
        return self._images.status(image)

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        return self._images.prepare(image, tell)

    def verify(self, image: Image) -> tuple[bool, str]:
        return self._images.verify(image)

    def interpreter(self, image: Image) -> Path | None:
        return self._images.interpreter(image)

    def session(self, tell: Tell) -> AbstractContextManager[None]:
        return contextlib.nullcontext()

    def container(self, image: Image, order: Order) -> Container | None:
        return None

    def launcher(self, job: Job) -> list[str]:
        """What runs the launcher of a cell on its node, in the cell's folder.

        That is not named: a node that Slurm takes for lost may go on for a while, and what it
        writes then belongs to the attempt that was put aside meanwhile.
        """
        return [str(self._images.interpreter(job.image)), "-m", "runners.launcher", "."]

    def variables(self) -> dict[str, str]:
        """What a job's process is given beside what was there at the login."""
        quiet = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        return {**quiet, **paths.cell_variables()}

    def enqueue(self, bundles: Sequence[Bundle], tell: Tell) -> Enqueued:
        """See the contract: an array for each level and each kind of node, in chunks."""
        jobs: list[str] = []
        left: list[Bundle] = []
        why = ""
        for part in self._parts(bundles):
            waits = {cell for one in left for cell in _cells(one)}
            able = [one for one in part if waits.isdisjoint(_parents(one))]
            left += [one for one in part if one not in able]
            if why or not able:
                left += able
                continue
            job, more, why = self._array(able)
            left += more
            jobs += [job] if job else []
            if job:
                tell(LogLine(f"job {job} submitted, tasks: {len(able) - len(more)}", "detail"))
        return Enqueued(jobs, left, why)

    def _parts(self, bundles: Sequence[Bundle]) -> Iterator[list[Bundle]]:
        def kind(one: Bundle) -> tuple[int, bool, str]:
            return one.level, one.on_gpu, one.node

        for _, alike in itertools.groupby(sorted(bundles, key=kind), kind):
            rest = list(alike)
            while rest:
                yield rest[: self.limits.most]
                rest = rest[self.limits.most :]

    def _array(self, bundles: list[Bundle]) -> tuple[str, list[Bundle], str]:
        """Its job, the bundles that Slurm does not take now, and why."""
        run = arrays.run_of(bundles[0].jobs[0].order.folder)
        array = arrays.create(run, len(bundles))
        launchers = [[self.launcher(job) for job in bundle.jobs] for bundle in bundles]
        arrays.fill(
            array, bundles, launchers, self.name, self.settings.exclusive, self.settings.late_s
        )
        lines = script.directives(
            array.facts.name, array.folder, bundles, self.settings, self._nodes[0],
            self.limits.requeues, arrays.failed_nodes(run),
        )  # fmt: skip
        python = Path(launchers[0][0][0])
        text = script.text(lines, python, self.variables(), array.folder, self.settings)
        write_atomically(array.folder / arrays.SCRIPT, text.encode())
        after = self._jobs_before(run, bundles)
        taken, why = self._submit(array, len(bundles), after)
        self._tasks.survey(run).forget()
        return (array.job if taken else ""), bundles[taken:], why

    def _jobs_before(self, run: Path, bundles: Sequence[Bundle]) -> list[str]:
        """Of the arrays that run cells which some of these start from."""
        numbers: dict[str, None] = {}
        for cell in {cell for bundle in bundles for cell in _parents(bundle)}:
            handle = read_handle(run / "cells" / cell)
            if handle is not None and handle.engine == self.name:
                numbers[arrays.ticket(handle).array] = None
        found = (arrays.load(run, number) for number in sorted(numbers))
        return [array.job for array in found if array is not None and array.job]

    def _submit(self, array: arrays.Array, tasks: int, after: Sequence[str]) -> tuple[int, str]:
        """How many tasks Slurm took, and why no more: half as many when a limit is reached."""
        why, asked = "", tasks
        while asked:
            try:
                self._insist(array, script.array_options(asked, self.settings.at_once, after))
                break
            except LimitError as error:
                why, asked = str(error), asked // 2
        if asked < tasks:
            array.holds(asked)
        return asked, why

    def _insist(self, array: arrays.Array, options: Sequence[str]) -> None:
        """Again where sbatch was silent, unless Slurm has the array all the same."""
        for left in reversed(range(_SUBMIT_TRIES)):
            try:
                self.client.submit(
                    array.folder / arrays.SCRIPT, options, array.folder / arrays.ANSWER
                )
                return
            except SilentError:
                if self._heard(array):
                    return
                if not left:
                    raise
                time.sleep(self.settings.pause_s * 2 ** (_SUBMIT_TRIES - 1 - left))

    def _heard(self, array: arrays.Array) -> bool:
        """Whether Slurm took the array though it did not say so; its number is noted then."""
        try:
            job = array.job or self._tasks.survey(array.run).job_of(array.facts.name)
        except MachineError:
            return False
        if job:
            write_atomically(array.folder / arrays.ANSWER, f"{job}\n".encode())
        return bool(job)

    def submit(self, image: Image, orders: Sequence[Order]) -> list[Handle]:
        """See the contract: one bundle each."""
        limits = [_limit_s(order.folder) for order in orders]
        bundles = [
            Bundle((Job(image, order),), 0, limit)
            for order, limit in zip(orders, limits, strict=True)
        ]
        done = self.enqueue(bundles, lambda line: None)
        if done.left:
            raise MachineError(done.why_left)
        handles = [read_handle(order.folder) for order in orders]
        found = [handle for handle in handles if handle is not None]
        for handle, order in zip(found, orders, strict=True):
            self._tasks.know(handle, order.folder)
        return found

    def attach(self, image: Image, handle: Handle, order: Order) -> bool:
        if handle.engine != self.name:
            return False
        self._tasks.know(handle, order.folder)
        return self.poll(handle) in ("queued", "running")

    def poll(self, handle: Handle) -> State:
        return self._tasks.standing(handle).state

    def standing(self, handle: Handle) -> Standing:
        return self._tasks.standing(handle)

    def where(self, handle: Handle) -> Where:
        return _ELSEWHERE

    def events(self, handle: Handle, timeout_s: float) -> bytes | None:
        tail = self._tails.get(handle.name)
        if tail is None:
            folder = self._tasks.folder(handle)
            tail = EventsTail(folder, lambda: self.poll(handle) == "ended")
            self._tails[handle.name] = tail
        return tail.read(timeout_s)

    def cancel(self, handle: Handle, status: Status, reason: str) -> None:
        self.withdraw([handle], status, reason)

    def kill(self, handle: Handle) -> None:
        self.withdraw([handle], "cancelled", "killed")

    def withdraw(self, handles: Sequence[Handle], status: Status, reason: str) -> None:
        self._tasks.withdraw(handles, status, reason)

    def collect(self, handle: Handle) -> Exit:
        """See the contract."""
        while self.poll(handle) in ("queued", "running"):
            time.sleep(_LOOK_S)
        self._tails.pop(handle.name, None)
        return self._tasks.end(handle)


def _cells(bundle: Bundle) -> list[str]:
    return [job.order.cell for job in bundle.jobs]


def _parents(bundle: Bundle) -> set[str]:
    """Cells of other bundles that these wait for."""
    return {cell for job in bundle.jobs for cell in job.order.after} - set(_cells(bundle))


def _limit_s(folder: Path) -> float:
    """By the order in a cell's folder."""
    try:
        limit = json.loads((folder / "order.json").read_bytes()).get("timeout_s")
    except (OSError, ValueError):
        limit = None
    return float(limit or 3600.0)
