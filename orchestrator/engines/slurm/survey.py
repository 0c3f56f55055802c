"""What Slurm knows of a run's tasks: asked once for all of them, and not again too soon."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from manifests.errors import MachineError
from orchestrator.engines.slurm import arrays
from orchestrator.engines.slurm.arrays import Array, Ticket
from orchestrator.engines.slurm.client import Client
from orchestrator.engines.slurm.states import Task, accounted_task, queued_task


class Seen(NamedTuple):
    """``task`` None: Slurm knows nothing of it. ``answered``: Slurm could be asked."""

    task: Task | None
    answered: bool
    submitted: bool = True


class Survey:
    """Of one run. ``watch`` names the arrays that are asked about."""

    def __init__(self, client: Client, run: Path, poll_s: float) -> None:
        self._client = client
        self._run = run
        self._poll_s = poll_s
        self._arrays: dict[str, Array] = {}
        self._tasks: dict[tuple[str, int], Task] = {}
        self._accounted: dict[str, dict[int, Task]] = {}
        self._asked_at = -float("inf")
        self._answered = False
        self.silence = ""

    def watch(self, numbers: Iterable[str]) -> None:
        """Ask about these arrays, too."""
        for number in set(numbers) - self._arrays.keys():
            array = arrays.load(self._run, number)
            if array is not None:
                self._arrays[number] = array
                self._asked_at = -float("inf")

    def forget(self) -> None:
        """Ask anew at the next look."""
        self._asked_at = -float("inf")

    def array(self, number: str) -> Array | None:
        return self._arrays.get(number)

    def seen(self, ticket: Ticket) -> Seen:
        """Where a task is."""
        self.watch([ticket.array])
        array = self._arrays.get(ticket.array)
        self._look()
        if array is None:
            return Seen(None, True, submitted=False)
        task = self._tasks.get((array.facts.name, ticket.task))
        if task is not None or not self._answered:
            return Seen(task, self._answered)
        if not array.job or ticket.task > array.facts.tasks:
            return Seen(None, True, submitted=False)
        return Seen(self._accounting(array).get(ticket.task), True)

    def job_of(self, name: str) -> str:
        """The number of the array of that name, where Slurm has it though it did not say so.

        Raises MachineError when Slurm can't be asked.
        """
        for fields in self._client.queue([name]):
            found = queued_task(fields)
            if found is not None:
                return found[1].job
        return ""

    def _look(self) -> None:
        """An answer is kept for a while, and so is that there was none."""
        now = time.monotonic()
        if now - self._asked_at < self._poll_s or not self._arrays:
            return
        try:
            lines = self._client.queue([array.facts.name for array in self._arrays.values()])
        except MachineError as error:
            self._answered, self.silence = False, str(error)
        else:
            self._tasks = _by_number(lines)
            self._answered, self.silence = True, ""
        self._accounted.clear()
        self._asked_at = time.monotonic()

    def _accounting(self, array: Array) -> dict[int, Task]:
        """Of an array that the queue has forgotten at least a part of; asked once a look."""
        if array.job not in self._accounted:
            # sacct takes days of the cluster's time zone, which may be another.
            day = datetime.date.fromisoformat(array.facts.day) - datetime.timedelta(days=1)
            lines = self._client.accounting([array.job], day.isoformat())
            found = [accounted_task(fields) for fields in lines]
            tasks = {one.number: one for one in found if one and one.job == array.job}
            self._accounted[array.job] = tasks
        return self._accounted[array.job]


def _by_number(lines: Iterable[list[str]]) -> dict[tuple[str, int], Task]:
    """What sbatch was silent about may be there twice: the one that waits or runs counts."""
    found: dict[tuple[str, int], Task] = {}
    for name, task in filter(None, map(queued_task, lines)):
        before = found.get((name, task.number))
        if before is None or before.live == "ended":
            found[name, task.number] = task
    return found
