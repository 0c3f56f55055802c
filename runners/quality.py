"""Judging samples and the machine around them: flags that make a reader careful."""

from __future__ import annotations

import glob
import os
import statistics
from typing import List, Optional, Tuple

from manifests.manifest import Flag
from manifests.quality import P90_SAMPLES, P99_SAMPLES

VARIATION_LIMIT = 0.10
DRIFT_LIMIT = 0.10
FOREIGN_LIMIT = 0.05

SIMULATED_TRAINING = Flag(
    name="simulated-quantization",
    detail="training rounds to int8 in float32; size and accuracy are those of the converted model",
)


class ProcessorWatch:
    """What the processor went through meanwhile, from /proc/stat and sysfs (Linux only)."""

    def __init__(self) -> None:
        self._begin = _ticks()
        self._own = _own_ticks()
        self._throttled = _throttle_events()

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


def _throttle(events: Optional[int]) -> Optional[Flag]:
    if not events:
        return None
    return Flag(name="clock-throttled", detail=f"{events} thermal throttle events")


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


def _own_ticks() -> float:
    times = os.times()
    return (times.user + times.system) * os.sysconf("SC_CLK_TCK")
