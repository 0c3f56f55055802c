"""Timing calls, the same for every framework; every sample is kept.

A call is timed with the caller's ``synchronise`` on both sides, so that work left in a queue is
counted, or by the device's own stopwatch. Warm-up and measuring end when a minimum time *and* a
minimum count have been reached, or at a maximum time. Each is a phase of its own, so that what is
read of the machine in the phase of the samples is of them alone. The garbage collector rests while
samples are taken.
"""

from __future__ import annotations

import contextlib
import gc
import time
from typing import Any, Callable, ContextManager, Iterator, List, NamedTuple, Optional

import msgspec

from manifests.manifest import Flag
from runners.quality import ProcessorWatch, quality_flags

Call = Callable[[], Any]
Progress = Callable[[int], None]
Stopwatch = Callable[[Call], float]
"""Makes the call and gives its seconds, e.g. between two events on a GPU's queue."""

Phase = Callable[[str], ContextManager[None]]
"""Announces a phase of that name for as long as it lasts; a job's ``phase``."""

WARM_UP = "warm-up"


@contextlib.contextmanager
def unannounced(name: str) -> Iterator[None]:
    """A phase that nobody hears of."""
    yield


class Durations(msgspec.Struct, frozen=True, kw_only=True):
    """How long to warm up and to measure; times in seconds, counts in calls."""

    warm_up_s: float
    warm_up_count: int
    measure_s: float
    measure_count: int
    longest_s: float = 600.0


class Measurement(NamedTuple):
    """``samples``: seconds of every timed call, in order. ``warm_up``: those thrown away."""

    samples: List[float]
    warm_up: List[float]
    flags: List[Flag]


def measure(
    call: Call,
    durations: Durations,
    synchronise: Call = lambda: None,
    progress: Progress = lambda count: None,
    clock: Callable[[], float] = time.perf_counter,
    stopwatch: Optional[Stopwatch] = None,
    phase: Phase = unannounced,
    name: str = "measure",
) -> Measurement:
    """Time ``call`` by the rigorous durations, in the phases ``warm-up`` and ``name``.

    ``progress`` gets the number of samples after each call, outside the timed region.
    ``stopwatch`` replaces ``clock`` for the samples; ``synchronise`` is then its own affair.
    """
    stopwatch = stopwatch or host_stopwatch(synchronise, clock)
    # Functions of an empty body cost 30 ns; the shortest calls measured here take 0.5 ms.
    with phase(WARM_UP):
        warm_up = _repeat(
            call, durations.warm_up_s, durations.warm_up_count, durations.longest_s, stopwatch,
            progress, clock,
        )  # fmt: skip
    with _no_collection(), phase(name):
        watch = ProcessorWatch()
        samples = _repeat(
            call, durations.measure_s, durations.measure_count, durations.longest_s, stopwatch,
            progress, clock,
        )  # fmt: skip
        flags = sample_flags(samples, watch)
    return Measurement(samples, warm_up, flags)


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """Garbage is collected now, and not again before the end."""
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def sample_flags(samples: List[float], watch: ProcessorWatch) -> List[Flag]:
    """Judged before anything else takes time."""
    disturbances = watch.disturbances()
    return [*quality_flags(samples, watch.stop(), watch.throttled()), *disturbances]


def host_stopwatch(synchronise: Call, clock: Callable[[], float]) -> Stopwatch:
    """Seconds of ``clock`` from an empty queue to an empty queue."""

    def timed(call: Call) -> float:
        synchronise()
        start = clock()
        call()
        synchronise()
        return clock() - start

    return timed


def _repeat(
    call: Call,
    least_s: float,
    least_count: int,
    longest_s: float,
    stopwatch: Stopwatch,
    progress: Progress,
    clock: Callable[[], float],
) -> List[float]:
    samples: List[float] = []
    begin = clock()
    while True:
        samples.append(stopwatch(call))
        spent = clock() - begin
        progress(len(samples))
        if (spent >= least_s and len(samples) >= least_count) or spent >= longest_s:
            return samples
