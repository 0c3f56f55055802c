"""Statistics of raw samples, derived on reading; too few samples give None, never a guess."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from manifests.flags import P90_SAMPLES, P99_SAMPLES
from manifests.manifest import Metric


def readings(metric: Metric) -> list[float]:
    """The samples that were read; missing ones are left out."""
    return [sample for sample in metric.samples if sample is not None]


def median(values: Sequence[float]) -> float | None:
    """None for no values."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank estimate; None below 64 samples from p90 on, 662 from p99 on.

    Those are the fewest with which MLPerf's rule of early stopping ends. They don't make the
    estimate a bound: of 64 samples it lies below the true p90 in 54 % of cases.
    """
    needed = P99_SAMPLES if percent >= 99 else P90_SAMPLES if percent >= 90 else 1
    if len(values) < needed:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]


def spread(values: Sequence[float]) -> float | None:
    """The middle half's width over the median; None below 4 values."""
    if len(values) < 4:
        return None
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle if middle else None
