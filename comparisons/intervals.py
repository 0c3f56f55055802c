"""Intervals of 95 % over repeated processes, and whether two sets of them differ.

What repeats is the process, never the samples inside one: those share its memory layout, its
clock and its neighbours. scipy is imported only where there is more than one process.
"""

from __future__ import annotations

import math
import statistics
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

CONFIDENCE = 0.95
FEW = 6
"""Below this, no interval of ranks reaches 95 % and a bootstrap is too narrow (1 - 2^(1-n))."""
MANY = 30
_RESAMPLES = 5000
_SAME = 1e-9
_Z = 1.959963984540054


class Interval(NamedTuple):
    """Both ends belong to it."""

    low: float
    high: float


def median_interval(values: Sequence[float]) -> Interval | None:
    """Of the median of processes; None for fewer than two.

    Below 6 Student's t on logarithms (a bootstrap of so few is too narrow), below 30 scipy's
    bootstrap, from there the exact interval of ranks (Conover 1999, section 3.2).
    """
    if len(values) < 2:
        return None
    if min(values) == max(values):
        return Interval(values[0], values[0])
    if len(values) < FEW and min(values) > 0:
        return _student(values)
    if len(values) < MANY:
        return _bootstrap((values,), _median)
    return _ranks(values)


def ratio_interval(base: Sequence[float], new: Sequence[float]) -> Interval | None:
    """Of median(new) / median(base), both positive; None for fewer than two of either."""
    if min(len(base), len(new)) < 2 or min(*base, *new) <= 0:
        return None
    if min(len(base), len(new)) >= FEW and max(len(base), len(new)) < MANY:
        return _bootstrap((base, new), _ratio)
    below, above = median_interval(base), median_interval(new)
    assert below is not None and above is not None
    return _recovered(statistics.median(base), below, statistics.median(new), above)


def share_interval(successes: float, trials: int) -> Interval:
    """Wilson's interval of a proportion, e.g. of right answers among test images."""
    share = successes / trials
    centre = share + _Z**2 / (2 * trials)
    half = _Z * math.sqrt(share * (1 - share) / trials + _Z**2 / (4 * trials**2))
    whole = 1 + _Z**2 / trials
    return Interval(max(0.0, (centre - half) / whole), min(1.0, (centre + half) / whole))


def p_value(base: Sequence[float], new: Sequence[float]) -> float | None:
    """Two-sided, that both come from one distribution; None for fewer than two of either.

    Mann and Whitney's test, which outliers don't sway; for the few processes with which it
    could never reach 5 %, Welch's test on logarithms. Where a side doesn't vary, that knows no
    scatter of it; then the order has its say, as often as it comes about by chance.
    """
    if min(len(base), len(new)) < 2:
        return None
    if not varies([*base, *new]):
        return 1.0
    from scipy import stats

    if min(len(base), len(new)) >= FEW:
        found = stats.mannwhitneyu(base, new)
    elif min(*base, *new) > 0:
        by_order = 2 / math.comb(len(base) + len(new), len(base))
        if not varies(base) and not varies(new):
            return by_order
        with warnings.catch_warnings():  # of nearly equal readings, which are no trouble here
            warnings.simplefilter("ignore", RuntimeWarning)
            found = stats.ttest_ind(_logs(base), _logs(new), equal_var=False)
        if not varies(base) or not varies(new):
            return max(by_order, float(found.pvalue))
    else:
        return None
    return float(found.pvalue)


def varies(values: Sequence[float]) -> bool:
    """Whether they differ by more than their last digits: samples are kept to ten."""
    return max(values) - min(values) > _SAME * max(map(abs, values))


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Corrected for their number (Benjamini and Hochberg): of verdicts, 5 % are false."""
    if len(p_values) < 2:
        return list(p_values)
    from scipy import stats

    return [float(p) for p in stats.false_discovery_control(p_values)]


def _logs(values: Sequence[float]) -> list[float]:
    return [math.log(value) for value in values]


def _student(values: Sequence[float]) -> Interval:
    from scipy import special  # a tenth of scipy.stats in time and memory

    logs = _logs(values)
    half = statistics.stdev(logs) / math.sqrt(len(logs))
    half *= float(special.stdtrit(len(logs) - 1, (1 + CONFIDENCE) / 2))
    centre, middle = statistics.fmean(logs), math.log(statistics.median(values))
    half = min(half, 50.0)
    return Interval(math.exp(min(centre - half, middle)), math.exp(max(centre + half, middle)))


def _median(values: Any, axis: int = -1) -> Any:
    import numpy

    return numpy.median(values, axis=axis)


def _ratio(base: Any, new: Any, axis: int = -1) -> Any:
    return _median(new, axis) / _median(base, axis)


def _bootstrap(data: Sequence[Sequence[float]], statistic: Callable[..., Any]) -> Interval:
    """The same resamples every time, so that what is derived twice is the same to the byte."""
    from scipy import stats

    found = stats.bootstrap(
        data, statistic, n_resamples=_RESAMPLES, method="percentile",
        confidence_level=CONFIDENCE, rng=0, vectorized=True,
    ).confidence_interval  # fmt: skip
    return Interval(float(found.low), float(found.high))


def _ranks(values: Sequence[float]) -> Interval:
    """From the binomial distribution of how many lie below the median, by its normal limit."""
    ordered, n = sorted(values), len(values)
    below = max(0, math.floor(n / 2 - _Z * math.sqrt(n) / 2) - 1)
    return Interval(float(ordered[below]), float(ordered[n - 1 - below]))


def _recovered(base: float, below: Interval, new: float, above: Interval) -> Interval:
    """Of new / base from the intervals of each (MOVER on logarithms, Zou and Donner 2008)."""
    centre = math.log(new / base)
    down = math.hypot(math.log(new / above.low), math.log(below.high / base))
    up = math.hypot(math.log(above.high / new), math.log(base / below.low))
    return Interval(math.exp(centre - down), math.exp(centre + up))
