"""The two protocols, once for all frameworks; every sample is kept.

Rigorous: a call is timed with the caller's ``synchronise`` on both sides, so that work left in
a queue is counted, or by the device's own stopwatch. Warm-up and measuring end when a minimum
time *and* a minimum count have been reached, or at a maximum time. The garbage collector rests
while samples are taken.

As published (shafique2023, section 5): a fixed number of calls after a fixed number of warm-up
calls, ``time.time()`` around each, nothing synchronised, the result left where it is. That clock
may be set while it is read, so it is laid beside the monotonic one between the calls.
"""

from __future__ import annotations

import gc
import time
from typing import Any, Callable, List, NamedTuple, Optional

import msgspec

from manifests.manifest import Flag
from runners.quality import ProcessorWatch, quality_flags

STEP_S, SLEW = 1e-4, 1e-3
"""A clock that gains on the monotonic one by more was set: time daemons slew by 0.0005."""

Call = Callable[[], Any]
Progress = Callable[[int], None]
Stopwatch = Callable[[Call], float]
"""Makes the call and gives its seconds, e.g. between two events on a GPU's queue."""


class Protocol(msgspec.Struct, frozen=True, kw_only=True):
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
    protocol: Protocol,
    synchronise: Call = lambda: None,
    progress: Progress = lambda count: None,
    clock: Callable[[], float] = time.perf_counter,
    stopwatch: Optional[Stopwatch] = None,
) -> Measurement:
    """Time ``call`` by the rigorous protocol.

    ``progress`` gets the number of samples after each call, outside the timed region.
    ``stopwatch`` replaces ``clock`` for the samples; ``synchronise`` is then its own affair.
    """
    stopwatch = stopwatch or host_stopwatch(synchronise, clock)
    # Functions of an empty body cost 30 ns; the shortest calls measured here take 0.5 ms.
    warm_up = _repeat(
        call, protocol.warm_up_s, protocol.warm_up_count, protocol.longest_s, stopwatch,
        progress, clock,
    )  # fmt: skip
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    watch = ProcessorWatch()
    try:
        samples = _repeat(
            call, protocol.measure_s, protocol.measure_count, protocol.longest_s, stopwatch,
            progress, clock,
        )  # fmt: skip
    finally:
        if collecting:
            gc.enable()
    return Measurement(samples, warm_up, _flags(samples, watch))


def measure_as_published(
    call: Call,
    warm_up_count: int,
    measure_count: int,
    progress: Progress = lambda count: None,
    clock: Callable[[], float] = time.time,
    steady: Callable[[], float] = time.perf_counter,
) -> Measurement:
    """Time ``call`` as the authors did; the garbage collector stays as it is.

    ``steady`` is a clock that nobody sets.
    """
    stopwatch = host_stopwatch(lambda: None, clock)
    warm_up = [stopwatch(call) for _ in range(warm_up_count)]
    watch = ProcessorWatch()
    beside = ClockWatch(clock, steady)
    samples = []
    for done in range(measure_count):
        samples.append(stopwatch(call))
        beside.look()
        progress(done + 1)
    return Measurement(samples, warm_up, [*_flags(samples, watch), *beside.flags()])


def _flags(samples: List[float], watch: ProcessorWatch) -> List[Flag]:
    """Judged before anything else takes time."""
    disturbances = watch.disturbances()
    return [*quality_flags(samples, watch.stop(), watch.throttled()), *disturbances]


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
