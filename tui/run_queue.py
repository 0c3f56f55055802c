"""Runs requests one after another on a thread of its own; their messages wait for the screen."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from manifests import event
from manifests.errors import RepliquantError
from orchestrator.messages import CellEvent, LogLine, RunMessage
from orchestrator.running.control import RunControl

if TYPE_CHECKING:
    from machine.sampler import Sampler
    from manifests.plan import PlannedCell
    from manifests.run_folder import Run
    from orchestrator.running.execute import Outcome
    from orchestrator.running.request import Request
    from services.until_decided import Ending


@dataclass
class Begun:
    """A request is being carried out from now on, in this run's folder."""

    run: Run
    chosen: Sequence[PlannedCell]
    request: Request | None = None


@dataclass
class Ended:
    """A request has been carried out, or why not.

    ``paused`` and ``cancelled`` say what was asked for meanwhile. With neither outcome nor
    error it ended before its first cell. ``told`` says in a line how it went, once that is known.
    ``ending`` is what came of its budget, where it had one.
    """

    study: str
    run: Run
    outcome: Outcome | None = None
    error: str = ""
    status: int = 0
    paused: bool = False
    cancelled: bool = False
    told: str = ""
    ending: Ending | None = None


class Received(NamedTuple):
    """One message and when it came (seconds, monotonic)."""

    message: RunMessage | Begun | Ended
    at_s: float


@dataclass
class _Job:
    request: Request
    run: Run
    chosen: Sequence[PlannedCell]
    control: RunControl = field(default_factory=RunControl)


class Inbox:
    """Messages from other threads. Steps of one cell that pile up collapse into the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: deque[Received] = deque()
        self.collapsed = 0

    def put(self, message: RunMessage | Begun | Ended) -> None:
        with self._lock:
            if self._all and _piles_up(self._all[-1].message, message):
                self._all.pop()
                self.collapsed += 1
            self._all.append(Received(message, time.monotonic()))

    def drain(self) -> list[Received]:
        """Everything that has come since the last call."""
        with self._lock:
            all_, self._all = self._all, deque()
        return list(all_)


def _piles_up(before: RunMessage | Begun | Ended, after: RunMessage | Begun | Ended) -> bool:
    if isinstance(before, LogLine) and isinstance(after, LogLine):
        return before.level == after.level == "detail"
    return (
        isinstance(before, CellEvent)
        and isinstance(after, CellEvent)
        and isinstance(before.event, event.Step)
        and isinstance(after.event, event.Step)
        and before.planned.id == after.planned.id
    )


class RunQueue:
    """A queue of requests; the first is being run. Methods are for the screen's thread."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self.sampler = sampler
        self.inbox = Inbox()
        self._jobs: deque[_Job] = deque()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def active(self) -> bool:
        """Whether something runs or waits."""
        return bool(self._jobs)

    @property
    def waiting(self) -> list[Request]:
        """The requests behind the one that runs."""
        return [job.request for job in list(self._jobs)[1:]]

    @property
    def pausing(self) -> bool:
        """Whether the run will end after the cells that run now."""
        return bool(self._jobs) and self._jobs[0].control.paused

    @property
    def cancelling(self) -> bool:
        return bool(self._jobs) and self._jobs[0].control.cancelled

    @property
    def asked(self) -> str:
        """What has been asked of the run that goes on; "" where none does."""
        if not self.active:
            return ""
        return "cancel" if self.cancelling else "pause" if self.pausing else "run"

    def add(self, request: Request, run: Run, chosen: Sequence[PlannedCell] = ()) -> None:
        """Run it now, or after those that wait already."""
        with self._lock:
            self._jobs.append(_Job(request, run, chosen))
            if self._thread is None:
                self._begin()
                self._thread = threading.Thread(target=self._work, name="run-queue", daemon=True)
                self._thread.start()

    def move(self, index: int, by: int) -> bool:
        """Let a waiting request wait for one more, or take it before another. Whether it could."""
        with self._lock:
            at, to = index + 1, index + 1 + by
            if not (1 <= at < len(self._jobs) and 1 <= to < len(self._jobs)):
                return False
            self._jobs[at], self._jobs[to] = self._jobs[to], self._jobs[at]
        return True

    def drop(self, index: int) -> None:
        """Take a waiting request out of the queue."""
        with self._lock:
            if 1 <= index + 1 < len(self._jobs):
                del self._jobs[index + 1]

    def pause(self) -> None:
        """End after the cells that run now; what waits behind goes too."""
        self._forget_waiting()
        for job in list(self._jobs)[:1]:
            job.control.pause()

    def cancel(self, reason: str) -> None:
        """End the running cells as cancelled; what waits behind goes too."""
        self._forget_waiting()
        for job in list(self._jobs)[:1]:
            job.control.cancel(reason)

    def kill(self) -> None:
        """End the running cells now."""
        self.cancel("killed from the screen")
        for job in list(self._jobs)[:1]:
            job.control.kill()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing runs any more; whether that is so."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        return not self.active

    def _forget_waiting(self) -> None:
        with self._lock:
            while len(self._jobs) > 1:
                self._jobs.pop()

    def _work(self) -> None:
        while True:
            job = self._jobs[0]
            ended = self._one(job)
            ended.paused, ended.cancelled = job.control.paused, job.control.cancelled
            self.inbox.put(ended)
            with self._lock:
                self._jobs.popleft()
                if not self._jobs:
                    self._thread = None
                    return
                self._begin()

    def _begin(self) -> None:
        """Between the messages of one request and those of the next, so that none is mistaken."""
        job = self._jobs[0]
        self.inbox.put(Begun(job.run, job.chosen, job.request))

    def _one(self, job: _Job) -> Ended:
        from services.ending_words import ending_lines
        from services.exports import save_tables
        from services.results import results_of
        from services.until_decided import carry_out

        study = job.request.study
        try:
            done = carry_out(job.request, self.inbox.put, self.sampler, job.control)
            outcome = done.outcome
            for line in ending_lines(done.ending) if done.ending else ():
                self.inbox.put(LogLine(line))
            results = results_of(outcome.prepared)
            save_tables(results)
            status = outcome.exit_status(results.manifests)
            return Ended(study, job.run, outcome, status=status, ending=done.ending)
        except KeyboardInterrupt:
            return Ended(study, job.run)
        except RepliquantError as error:
            return Ended(study, job.run, error=str(error), status=error.exit_code)
        except Exception as error:  # a thread has nobody above it: the screen says what it was
            return Ended(study, job.run, error=f"{type(error).__name__}: {error}", status=1)
