"""The interval of 95 % of a line of a table, in its column's unit."""

from __future__ import annotations

from collections.abc import Mapping

from comparisons.intervals import median_interval, ratio_interval, share_interval
from comparisons.measured import Measured, derive
from manifests.units import UNITS
from papers.published import Column

_Ends = tuple[float, float] | tuple[None, None]


def interval_of(column: Column, measured: Mapping[str, Measured]) -> _Ends:
    """In the column's unit, None for a single process."""
    if not column.derive:
        return _own_interval(column, measured[column.name])
    ((name, (first, second)),) = column.derive.items()
    if name == "drop":
        return _drop_interval(*(_own_interval(column, measured[part]) for part in (first, second)))
    found = ratio_interval(measured[first].values, measured[second].values)
    if found is None:
        return None, None
    # second / first, as a function of which each derivation rises or falls.
    ends = sorted(derive(name, 1.0, ratio) or 0.0 for ratio in found)
    return ends[0], ends[1]


def _drop_interval(first: _Ends, second: _Ends) -> _Ends:
    """Of first - second, from the ends of both: wider than need be where they go together."""
    if first[0] is None or second[0] is None:
        return None, None
    return first[0] - second[1], first[1] - second[0]


def _own_interval(column: Column, found: Measured) -> _Ends:
    if len(found.values) == 1 and found.images:
        share = found.values[0] / UNITS[column.unit].factor
        low, high = share_interval(share * found.images, found.images)
        return low * UNITS[column.unit].factor, high * UNITS[column.unit].factor
    interval = median_interval(found.values)
    return (interval.low, interval.high) if interval else (None, None)
