"""Which range a tensor gets (shafique2023, sections 3.3 and 3.5).

Every calibrator takes batches: float arrays of any shape, in the order in which the calibration
images came. All raise RangeError in one line for no numbers, NaN, an infinity, or one constant.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence, Tuple

import numpy as np

from runners.arithmetic.quantizers import RangeError

Array = Any
AVERAGING = 0.01
"""How far a moving average goes towards a new batch: torch's default."""


class Range(NamedTuple):
    """f_min and f_max of the equations, float32."""

    f_min: Array
    f_max: Array


def min_max(batches: Sequence[Array]) -> Range:
    """The smallest and the largest number of all batches."""
    checked = [numbers(batch) for batch in _some(batches)]
    return _spread(min(b.min() for b in checked), max(b.max() for b in checked))


def moving_average(batches: Sequence[Array], averaging: float = AVERAGING) -> Range:
    """Moving averages of the batches' smallest and largest numbers, in float32.

    The first batch's are taken whole; each other moves them by ``averaging`` of the difference.
    """
    low: Array = None
    high: Array = None
    for batch in _some(batches):
        values = numbers(batch)
        low, high = (
            end if kept is None else kept + np.float32(averaging) * (end - kept)
            for kept, end in ((low, values.min()), (high, values.max()))
        )
    return _spread(low, high)


def by_channel(values: Array, axis: int) -> Range:
    """min_max of each channel of one tensor: two arrays (channels,).

    A channel of one constant is a range of its own here; the quantizers refuse it.
    """
    rows = np.moveaxis(np.asarray(values, np.float32), axis, 0)
    rows = rows.reshape(len(rows), -1)
    numbers(rows)
    return Range(rows.min(1), rows.max(1))


def numbers(batch: Array) -> Array:
    """float32 numbers that can calibrate. Raises RangeError for none, NaN and infinities."""
    values = np.asarray(batch, np.float32)
    if not values.size:
        raise RangeError("nothing to calibrate on: the tensor is empty")
    lost = values.size - int(np.isfinite(values).sum())
    if lost:
        raise RangeError(
            f"{lost:,} of {values.size:,} numbers are NaN or infinite: nothing to calibrate on"
        )
    return values


def joined(batches: Sequence[Array]) -> Array:
    """All numbers, float32 (count,). Raises RangeError as every calibrator does."""
    values = np.concatenate([numbers(batch).ravel() for batch in _some(batches)])
    _spread(values.min(), values.max())
    return values


def largest(batches: Sequence[Array]) -> Tuple[Array, float]:
    """Absolute values, and the largest of them; raises as ``joined``."""
    values = np.abs(joined(batches).astype(np.float64))
    return values, float(values.max())


def _some(batches: Sequence[Array]) -> Sequence[Array]:
    if not len(batches):
        raise RangeError("nothing to calibrate on: there is no batch")
    return batches


def _spread(low: Array, high: Array) -> Range:
    if low == high:
        raise RangeError(f"all numbers are {float(low):g}: a constant has no range")
    return Range(np.float32(low), np.float32(high))
