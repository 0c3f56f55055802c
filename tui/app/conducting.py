"""Runs requests one after another on a thread of its own, and keeps their news for the screen."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from manifests import event
from orchestrator.errors import KitError
from orchestrator.news import CellEvent, News, Note
from orchestrator.steering import Steering

if TYPE_CHECKING:
    from orchestrator.sessions import Outcome, Request
    from orchestrator.telemetry.sampling import Sampler


class Heard(NamedTuple):
    """One message and when it came (seconds, monotonic)."""

    news: News
    at_s: float


@dataclass
class Ended:
    """A request has been carried out, or why not."""

    request: Request
    outcome: Outcome | None = None
    error: str = ""
    status: int = 0
    interrupted: bool = False


@dataclass
class _Job:
    request: Request
    steering: Steering = field(default_factory=Steering)


class Inbox:
    """News from other threads. Steps of one cell that pile up collapse into the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: deque[Heard] = deque()
        self.collapsed = 0

    def put(self, news: News) -> None:
        with self._lock:
            if self._all and _piles_up(self._all[-1].news, news):
                self._all.pop()
                self.collapsed += 1
            self._all.append(Heard(news, time.monotonic()))

    def drain(self) -> list[Heard]:
        """Everything that has come since the last call."""
        with self._lock:
            all_, self._all = self._all, deque()
        return list(all_)


def _piles_up(before: News, after: News) -> bool:
    if isinstance(before, Note) and isinstance(after, Note):
        return before.level == after.level == "detail"
    return (
        isinstance(before, CellEvent)
        and isinstance(after, CellEvent)
        and isinstance(before.event, event.Step)
        and isinstance(after.event, event.Step)
        and before.planned.id == after.planned.id
    )


class Conducting:
    """A queue of requests; the first is being run. Methods are for the screen's thread."""

    def __init__(self, sampler: Sampler | None = None) -> None:
        self.sampler = sampler
        self.inbox = Inbox()
        self.ended: deque[Ended] = deque()
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
        return bool(self._jobs) and self._jobs[0].steering.paused

    @property
    def cancelling(self) -> bool:
        return bool(self._jobs) and self._jobs[0].steering.cancelled

    def add(self, request: Request) -> None:
        """Run it now, or after those that wait already."""
        with self._lock:
            self._jobs.append(_Job(request))
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="conducting", daemon=True)
                self._thread.start()

    def pause(self) -> None:
        """End after the cells that run now; what waits behind goes too."""
        self._forget_waiting()
        for job in list(self._jobs)[:1]:
            job.steering.pause()

    def cancel(self, reason: str) -> None:
        """End the running cells as cancelled; what waits behind goes too."""
        self._forget_waiting()
        for job in list(self._jobs)[:1]:
            job.steering.cancel(reason)

    def kill(self) -> None:
        """End the running cells now."""
        self.cancel("killed from the screen")
        for job in list(self._jobs)[:1]:
            job.steering.kill()

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
            self.ended.append(self._one(job))
            with self._lock:
                self._jobs.popleft()
                if not self._jobs:
                    self._thread = None
                    return

    def _one(self, job: _Job) -> Ended:
        from orchestrator.sessions import execute
        from tui.exporting import save_tables

        try:
            outcome = execute(job.request, self.inbox.put, self.sampler, job.steering)
            manifests = outcome.prepared.run.load().manifests
            save_tables(outcome.prepared, manifests)
            return Ended(job.request, outcome, status=outcome.exit_status(manifests))
        except KeyboardInterrupt:
            return Ended(job.request, interrupted=True)
        except KitError as error:
            return Ended(job.request, error=str(error), status=error.exit_code)
        except Exception as error:  # a thread has nobody above it: the screen says what it was
            return Ended(job.request, error=f"{type(error).__name__}: {error}", status=1)
