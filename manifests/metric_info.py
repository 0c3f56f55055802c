"""What is known of a metric, and the kinds that several are of."""

from __future__ import annotations

from typing import NamedTuple, Optional


class MetricInfo(NamedTuple):
    """``better`` is "lower", "higher" or None where neither is.

    ``timed``: how fast the machine was at the time goes into it, so that what disturbs a
    measurement changes it. ``least`` and ``most`` are the ends of what it can be, None where
    there is none; with ``positive`` the lower end is 0 and isn't reached.

    ``exact``: it doesn't vary from process to process. ``proportion``: it counts images among those
    of the test split, so that their number alone gives it an interval. ``compared``: runs are
    compared by it, in the order of the table. ``unit`` is one of manifests.units.
    """

    name: str
    unit: str
    meaning: str
    better: Optional[str]
    timed: bool = False
    positive: bool = False
    least: Optional[float] = None
    most: Optional[float] = None
    exact: bool = False
    proportion: bool = False
    compared: bool = False


def time_metric(name: str, meaning: str) -> MetricInfo:
    """Seconds that runs are compared by."""
    return MetricInfo(name, "s", meaning, "lower", timed=True, positive=True, compared=True)


def share_metric(name: str, meaning: str, proportion: bool = False) -> MetricInfo:
    """0 to 1, more being better."""
    return MetricInfo(
        name, "fraction", meaning, "higher", least=0, most=1, proportion=proportion, compared=True
    )


def arithmetic_metric(
    name: str, unit: str, meaning: str, better: str, most: Optional[float] = None
) -> MetricInfo:
    """What a framework's arithmetic gives, the same in every process."""
    return MetricInfo(name, unit, meaning, better, least=0, most=most, exact=True)
