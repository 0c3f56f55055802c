"""As published by shafique2023: what the authors' text and public notebook did, flaws included.

50 calls to warm up and 300 timed ones, ``time.time()`` around each, nothing synchronised, the
result left where it is, the mean of them all (section 5). The accuracy is the mean over the
batches of the first fifth of the test split's batches. Nothing is set that the notebook left as
the framework has it: TF32, the way ``predict()`` splits a batch, engines that are built at the
first call, a softmax that follows the precision, no untimed training steps.

The authors' clock may be set while it is read, so it is laid beside the monotonic one.
"""

from __future__ import annotations

import itertools
import time
from typing import Callable, List, NamedTuple, Optional

import msgspec
import numpy as np

from manifests.manifest import Flag
from runners.data import batches
from runners.job import Job
from runners.measure import (
    WARM_UP,
    Call,
    Measurement,
    Phase,
    Progress,
    host_stopwatch,
    sample_flags,
    unannounced,
)
from runners.quality import ProcessorWatch
from runners.session import Session, filled, record_latency

CONTROLLED = False
AVERAGE = "mean"

STEP_S, SLEW = 1e-4, 1e-3
"""A clock that gains on the monotonic one by more was set: time daemons slew by 0.0005."""


class PublishedRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Counts of calls, no times."""

    warm_up_count: int = 50
    measure_count: int = 300
    profile_calls: int = 0
    test_images: Optional[int] = None


def infer_recipe(job: Job) -> PublishedRecipe:
    """The cell's recipe. Raises msgspec.ValidationError."""
    return job.recipe(PublishedRecipe)


def evaluate(job: Job, session: Session, test_images: int, batch_size: int) -> float:
    """The mean of the batches' accuracies, over the first fifth of the test split's batches;
    records ``accuracy``.
    """
    part = job.data.test(test_images)
    count = max(1, -(-len(part.labels) // batch_size) // 5)
    images_tested = min(count * batch_size, len(part.labels))
    shares = []
    with job.phase("evaluate"):
        for batch in itertools.islice(batches(job.data, part, batch_size), count):
            images = filled(batch.images, batch_size) if session.fixed_batch else batch.images
            predicted = session.classes(session.call(session.place(images)))
            shares.append(float(np.mean(predicted[: len(batch.labels)] == batch.labels)))
            job.events.step(len(shares), count)
    accuracy = sum(shares) / count
    source = f"mean over the first {count} batches, a fifth of the test split"
    job.record("accuracy", [accuracy], items=images_tested, source=source)
    return accuracy


def time_inference(job: Job, session: Session) -> None:
    """Measure one batch: latency and throughput of the call."""
    recipe = infer_recipe(job)
    placed = session.place(job.data.normalise(job.data.timed(job.cell.batch_size)))
    measurement = measure_as_published(
        lambda: session.call(placed), recipe.warm_up_count, recipe.measure_count,
        progress=job.events.step, phase=job.phase, settle=session.synchronise,
    )  # fmt: skip
    record_latency(job, measurement, "time.time() around the call, not synchronised")


def measure_as_published(
    call: Call,
    warm_up_count: int,
    measure_count: int,
    progress: Progress = lambda count: None,
    clock: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.perf_counter,
    phase: Phase = unannounced,
    settle: Call = lambda: None,
) -> Measurement:
    """Time ``call`` as the authors did; the garbage collector stays as it is.

    ``steady`` is a clock that nobody sets. ``settle`` waits, untimed, for what the calls left in a
    queue, so that the phase holds all of their work.
    """
    stopwatch = host_stopwatch(lambda: None, clock)
    with phase(WARM_UP):
        warm_up = [stopwatch(call) for _ in range(warm_up_count)]
    with phase("measure"):
        watch = ProcessorWatch()
        beside = ClockWatch(clock, steady)
        samples = []
        for done in range(measure_count):
            samples.append(stopwatch(call))
            beside.look()
            progress(done + 1)
        flags = [*sample_flags(samples, watch), *beside.flags()]
        settle()
    return Measurement(samples, warm_up, flags)


class ClockWatch:
    """How far a clock that can be set departs from one that can't."""

    def __init__(self, clock: Callable[[], float], steady: Callable[[], float]) -> None:
        self._clock = clock
        self._steady = steady
        self._steps: List[float] = []
        self._last = self._read()

    def look(self) -> None:
        """Once after each call. The two clocks read one after the other are apart by at most
        the time between the readings, which on a busy machine may be long.
        """
        now = self._read()
        change = now.ahead - self._last.ahead
        elapsed = abs(now.at - self._last.at)
        if abs(change) > STEP_S + SLEW * elapsed + now.unsure + self._last.unsure:
            self._steps.append(change)
        self._last = now

    def flags(self) -> List[Flag]:
        """One flag for all that the clock was set by."""
        if not self._steps:
            return []
        times = f"{len(self._steps)} times, " if len(self._steps) > 1 else ""
        detail = f"set {times}by {sum(self._steps):+.6g} s in all while it was measured with"
        return [Flag(name="clock-stepped", detail=detail)]

    def _read(self) -> _Beside:
        before = self._steady()
        clock = self._clock()
        after = self._steady()
        return _Beside(after, clock - (before + after) / 2, (after - before) / 2)


class _Beside(NamedTuple):
    """Both clocks at one moment: how far the one is ahead of the other, and how sure that is."""

    at: float
    ahead: float
    unsure: float
