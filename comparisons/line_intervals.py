"""The interval of 95 % of a line of a table, in its column's unit."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from comparisons.image_answers import image_answers
from comparisons.intervals import Interval, median_interval, ratio_interval, share_interval
from comparisons.measured import Measured, derive
from manifests.units import UNITS
from papers.published import Column

Ends = tuple[float, float] | tuple[None, None]


def interval_of(column: Column, measured: Mapping[str, Measured], units: Mapping[str, str]) -> Ends:
    """In the column's unit, None for a single process of what has no interval over images.

    ``units`` has the unit of each column.
    """
    if not column.derive:
        return _own_interval(measured[column.name], column.unit)
    ((name, parts),) = column.derive.items()
    if name == "drop":
        first, second = ((measured[part], units[part]) for part in parts)
        return _paired_drop(first, second) or _drop_interval(
            _own_interval(*first), _own_interval(*second)
        )
    found = _ratio_interval(*((measured[part], units[part]) for part in parts))
    if found is None:
        return None, None
    # second / first, as a function of which each derivation rises or falls.
    ends = sorted(derive(name, 1.0, ratio) or 0.0 for ratio in found)
    return ends[0], ends[1]


def _ratio_interval(first: tuple[Measured, str], second: tuple[Measured, str]) -> Interval | None:
    """Of second / first; of shares of test images from the ends of both, like a drop."""
    if not (first[0].images and second[0].images and first[0].values and second[0].values):
        return ratio_interval(first[0].values, second[0].values)
    below, above = (_over_images(*part) for part in (first, second))
    return Interval(above.low / below.high, above.high / below.low) if below.low > 0 else None


def _paired_drop(first: tuple[Measured, str], second: tuple[Measured, str]) -> Ends | None:
    """Of first - second by the images that one alone recognises; None where not of the same."""
    answers, others = (
        image_answers(found.answers, UNITS[unit].factor) for found, unit in (first, second)
    )
    return answers.ahead_of(others) if answers and others else None


def _drop_interval(first: Ends, second: Ends) -> Ends:
    """Of first - second, from the ends of both: wider than need be where they go together."""
    if first[0] is None or second[0] is None:
        return None, None
    return first[0] - second[1], first[1] - second[0]


def _own_interval(found: Measured, unit: str) -> Ends:
    if found.images and found.values:
        return _over_images(found, unit)
    interval = median_interval(found.values)
    return (interval.low, interval.high) if interval else (None, None)


def _over_images(found: Measured, unit: str) -> Interval:
    """Over test images, and over processes where those differ by more.

    Repeats with one seed answer alike: that they agree says nothing about other images.
    """
    factor = UNITS[unit].factor
    ends = share_interval(statistics.median(found.values) / factor * found.images, found.images)
    low, high = (end * factor for end in ends)
    processes = median_interval(found.values) or Interval(low, high)
    return Interval(min(low, processes.low), max(high, processes.high))
