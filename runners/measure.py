"""The rigorous protocol, once for all frameworks: warm up, time every call, keep every sample.

A call is timed with the caller's ``synchronise`` on both sides, so that work left in a
queue is counted. Warm-up and measuring end when a minimum time *and* a minimum count have
been reached, or at a maximum time. The garbage collector rests while samples are taken.
"""

from __future__ import annotations

import gc
import time
from typing import Any, Callable, List, NamedTuple

import msgspec

from manifests.manifest import Flag
from runners.quality import ProcessorWatch, quality_flags

Call = Callable[[], Any]
Progress = Callable[[int], None]


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
) -> Measurement:
    """Time ``call`` by the protocol.

    ``progress`` gets the number of samples after each call, outside the timed region.
    """
    # Functions of an empty body cost 30 ns; the shortest calls measured here take 0.5 ms.
    warm_up = _repeat(
        call, protocol.warm_up_s, protocol.warm_up_count, protocol.longest_s, synchronise,
        progress, clock,
    )  # fmt: skip
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    watch = ProcessorWatch()
    try:
        samples = _repeat(
            call, protocol.measure_s, protocol.measure_count, protocol.longest_s, synchronise,
            progress, clock,
        )  # fmt: skip
    finally:
        if collecting:
            gc.enable()
    return Measurement(samples, warm_up, quality_flags(samples, watch.stop(), watch.throttled()))


def _repeat(
    call: Call,
    least_s: float,
    least_count: int,
    longest_s: float,
    synchronise: Call,
    progress: Progress,
    clock: Callable[[], float],
) -> List[float]:
    samples: List[float] = []
    begin = clock()
    while True:
        synchronise()
        start = clock()
        call()
        synchronise()
        end = clock()
        samples.append(end - start)
        progress(len(samples))
        spent = end - begin
        if (spent >= least_s and len(samples) >= least_count) or spent >= longest_s:
            return samples
