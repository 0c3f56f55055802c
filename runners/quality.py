"""Judging samples and the machine around them: flags that make a reader careful."""

from __future__ import annotations

import glob
import os
import signal
import statistics
import threading
import time
from typing import Any, List, Optional, Tuple

from machine import cgroup
from manifests.flags import P90_SAMPLES, P99_SAMPLES
from manifests.manifest import Flag

VARIATION_LIMIT = 0.10
DRIFT_LIMIT = 0.10
FOREIGN_LIMIT = 0.05
STEAL_LIMIT = 0.02
_TELLING_TICKS = 50
ASLEEP_LIMIT_S = 0.1

SIMULATED_TRAINING = Flag(
    name="simulated-quantization",
    detail="training rounds to int8 in float32; size and accuracy are those of the converted model",
)


class ProcessorWatch:
    """What the processor and the process went through meanwhile (Linux; elsewhere nothing)."""

    def __init__(self) -> None:
        self._begin = _ticks()
        self._own = _own_ticks()
        self._throttled = _throttle_events()
        self._quota = cgroup.throttling()
        self._asleep = _asleep_s()
        self._stolen = _stolen_ticks()
        self._continued = _Continued()

    def throttled(self) -> Optional[int]:
        """Times that a core lowered its clock for its temperature; None where that isn't told."""
        end = _throttle_events()
        return None if end is None or self._throttled is None else end - self._throttled

    def stop(self) -> Optional[float]:
        """Share of the machine's processor time taken by others and the hypervisor, 0 ... 1."""
        end = _ticks()
        if self._begin is None or end is None:
            return None
        busy, total = end[0] - self._begin[0], end[1] - self._begin[1]
        own = _own_ticks() - self._own
        return max(0.0, busy - own) / total if total >= 10 else None

    def stolen(self) -> Optional[float]:
        """Share of the machine's processor time that the hypervisor gave to others, 0 ... 1."""
        begin, end = self._stolen, _stolen_ticks()
        if begin is None or end is None:
            return None
        stolen, total = end[0] - begin[0], end[1] - begin[1]
        return max(0, stolen) / total if total >= _TELLING_TICKS else None

    def flags(self) -> List[Flag]:
        """All that disturbed the machine or the process since."""
        stopped = self.disturbances()
        told = [_busy(self.stop()), _throttle(self.throttled())]
        return [*(flag for flag in told if flag is not None), *stopped]

    def disturbances(self) -> List[Flag]:
        """What stopped this process since: quota, somebody, the machine's sleep, the hypervisor."""
        found = [
            _quota(self._quota, cgroup.throttling()),
            _suspended(self._continued.stop(), _asleep_s() - self._asleep),
            _steal(self.stolen()),
        ]
        return [flag for flag in found if flag is not None]


class _Continued:
    """Counts how often the process was stopped and went on: it hears of the latter alone."""

    def __init__(self) -> None:
        self._times = 0
        self._before: Any = None
        self._hears = threading.current_thread() is threading.main_thread()
        if self._hears:
            self._before = signal.signal(signal.SIGCONT, self._count)

    def _count(self, number: int, frame: Any) -> None:
        self._times += 1

    def stop(self) -> int:
        """How often; from now on it no longer listens."""
        if self._hears:
            self._hears = False
            signal.signal(signal.SIGCONT, self._before or signal.SIG_DFL)
        return self._times


def quality_flags(
    samples: List[float], foreign_share: Optional[float], throttled: Optional[int] = None
) -> List[Flag]:
    """The flags that these samples (seconds) and the machine's state deserve."""
    flags = [
        _few_samples(samples),
        _variation(samples),
        _drift(samples),
        _busy(foreign_share),
        _throttle(throttled),
    ]
    return [flag for flag in flags if flag is not None]


def _few_samples(samples: List[float]) -> Optional[Flag]:
    if len(samples) >= P99_SAMPLES:
        return None
    missing = "p99" if len(samples) >= P90_SAMPLES else "p90 and p99"
    return Flag(name="few-samples", detail=f"{len(samples)} samples: no {missing}")


def _variation(samples: List[float]) -> Optional[Flag]:
    if len(samples) < 4:
        return None
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive")
    spread = (high - low) / middle if middle else 0.0
    if spread <= VARIATION_LIMIT:
        return None
    return Flag(name="high-variation", detail=f"the middle half spreads over {spread:.0%}")


def _drift(samples: List[float]) -> Optional[Flag]:
    if len(samples) < 8:
        return None
    half = len(samples) // 2
    first, second = statistics.median(samples[:half]), statistics.median(samples[half:])
    change = second / first - 1 if first else 0.0
    if abs(change) <= DRIFT_LIMIT:
        return None
    return Flag(name="drift", detail=f"the second half's median is {change:+.0%}")


def _busy(foreign_share: Optional[float]) -> Optional[Flag]:
    if foreign_share is None or foreign_share <= FOREIGN_LIMIT:
        return None
    return Flag(
        name="busy-machine", detail=f"others took {foreign_share:.0%} of the processor time"
    )


def _steal(share: Optional[float]) -> Optional[Flag]:
    if share is None or share <= STEAL_LIMIT:
        return None
    detail = f"the hypervisor gave {share:.0%} of the processor time to others"
    return Flag(name="stolen-time", detail=detail)


def _throttle(events: Optional[int]) -> Optional[Flag]:
    if not events:
        return None
    return Flag(name="clock-throttled", detail=f"{events} thermal throttle events")


def _quota(
    before: Optional[cgroup.Throttling], after: Optional[cgroup.Throttling]
) -> Optional[Flag]:
    if before is None or after is None or after.periods <= before.periods:
        return None
    periods, seconds = after.periods - before.periods, after.seconds - before.seconds
    allowed = cgroup.quota_cpus()
    quota = f"the quota of {allowed:g} processors" if allowed is not None else "a quota"
    detail = f"{quota} stopped it in {periods} periods, for {seconds:.2f} s in all"
    return Flag(name="quota-throttled", detail=detail)


def _suspended(times: int, asleep_s: float) -> Optional[Flag]:
    if times:
        how = "once" if times == 1 else f"{times} times"
        return Flag(name="suspended", detail=f"it was stopped and continued {how}")
    if asleep_s > ASLEEP_LIMIT_S:
        return Flag(name="suspended", detail=f"the machine slept for {asleep_s:.1f} s")
    return None


def _asleep_s() -> float:
    """Seconds that the machine has slept since it started."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


def _throttle_events(root: str = "/sys/devices/system/cpu") -> Optional[int]:
    """Thermal throttle events of all cores since the machine started."""
    total = None
    for path in glob.glob(f"{root}/cpu[0-9]*/thermal_throttle/core_throttle_count"):
        try:
            with open(path) as file:
                total = (total or 0) + int(file.read())
        except (OSError, ValueError):
            continue
    return total


def _ticks() -> Optional[Tuple[int, int]]:
    """(busy, all) clock ticks of all processors together."""
    try:
        with open("/proc/stat") as file:
            fields = [int(field) for field in file.readline().split()[1:9]]
    except (OSError, ValueError):
        return None
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def _stolen_ticks(stat: str = "/proc/stat") -> Optional[Tuple[int, int]]:
    """Clock ticks in which a processor was wanted here and others had it, and all there were."""
    try:
        with open(stat) as file:
            fields = [int(field) for field in file.readline().split()[1:9]]
        return fields[7], sum(fields)
    except (OSError, ValueError, IndexError):
        return None


def _own_ticks() -> float:
    times = os.times()
    return (times.user + times.system) * os.sysconf("SC_CLK_TCK")
