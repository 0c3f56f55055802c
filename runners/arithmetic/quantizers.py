"""From a range to a scale and a zero point, and from numbers to integers and back.

shafique2023, Equations 1 to 3 (asymmetric), 7 to 9 (symmetric), 13 to 15 (TensorRT's form). A
range is one number each way for a whole tensor, or an array (channels,) for one by channel.

The paper leaves open how it is computed, and ``Steps`` says it: in which precision, whether x is
divided by S or multiplied by 1/S, whether Z is added before rounding, and where a tie goes.
``PLAIN`` is the text's: a division, no rounding before round(), ties to even.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple

import numpy as np

Array = Any  # numpy.ndarray; old numpy has no typing worth the name


class RangeError(ValueError):
    """A range, or numbers, for which the equations give no scale; one line says why."""


class Steps(NamedTuple):
    """``dtype`` is "float64" or "float32", ``ties`` "even" or "away" (from zero).

    ``way`` is "divide", "reciprocal" (x times 1/S), "sum" (Z is added to that before it is rounded
    to an integer, so that at a tie Z decides what is even), or "fused" (the same, with product and
    sum in one operation that is rounded to float32 once). No scale is below ``smallest_scale``.
    """

    dtype: str = "float64"
    way: str = "divide"
    ties: str = "even"
    smallest_scale: float = 0.0


PLAIN = Steps()


class Parameters(NamedTuple):
    """float32 ``scale`` and int64 ``zero_point``, () or (channels,) along ``axis``.

    Integers lie in ``q_min`` ... ``q_max``. ``inverse`` is what x is multiplied by where that isn't
    1/S, as another rounding of the same quotient.
    """

    scale: Array
    zero_point: Array
    q_min: int
    q_max: int
    axis: Optional[int] = None
    inverse: Optional[Array] = None


def with_zero(f_min: Array, f_max: Array) -> Tuple[Array, Array]:
    """The range widened to hold 0.

    The paper doesn't say so; without it Equation 3's Z is no INT8 value for numbers of one sign,
    and 0 (padding, ReLU) isn't exact.
    """
    return np.minimum(f_min, 0), np.maximum(f_max, 0)


def asymmetric(
    f_min: Array, f_max: Array, bits: int = 8, axis: Optional[int] = None, steps: Steps = PLAIN
) -> Parameters:
    """Equations 2 and 3: S = (f_max - f_min) / (2^n - 1), Z = -round(f_min / S) - 2^(n-1).

    Raises RangeError for an empty range, or one that is not finite.
    """
    low, high = _range(f_min, f_max, steps)
    scale = _scale((high - low) / high.dtype.type(2**bits - 1), steps)
    zero_point = -_rounded(low / scale.astype(low.dtype), steps.ties) - 2 ** (bits - 1)
    return Parameters(scale, zero_point.astype(np.int64), *_full(bits), axis)


def symmetric_full(
    f_min: Array, f_max: Array, bits: int = 8, axis: Optional[int] = None, steps: Steps = PLAIN
) -> Parameters:
    """Equation 8: S = 2 max(|f_min|, |f_max|) / (2^n - 1), integers -2^(n-1) ... 2^(n-1) - 1.

    The largest number is 2^(n-1) - 1/2 steps, and so loses half a step. Raises RangeError.
    """
    largest = _largest(f_min, f_max, steps)
    scale = _scale(2 * largest / largest.dtype.type(2**bits - 1), steps)
    return _symmetric(scale, *_full(bits), axis)


def symmetric_restricted(
    f_min: Array, f_max: Array, bits: int = 8, axis: Optional[int] = None, steps: Steps = PLAIN
) -> Parameters:
    """Equation 9: S = max(|f_min|, |f_max|) / (2^(n-1) - 1), integers -2^(n-1)+1 ... 2^(n-1)-1.

    Raises RangeError.
    """
    q_max = 2 ** (bits - 1) - 1
    largest = _largest(f_min, f_max, steps)
    return _symmetric(_scale(largest / largest.dtype.type(q_max), steps), -q_max, q_max, axis)


def tensorrt(
    f_min: Array, f_max: Array, axis: Optional[int] = None, steps: Steps = PLAIN
) -> Parameters:
    """Equations 13 and 14: Equation 9's scale with Equation 8's integers, -128 ... 127.

    No number of the range becomes -128. Raises RangeError.
    """
    return symmetric_restricted(f_min, f_max, 8, axis, steps)._replace(q_min=-128)


def quantize(x: Array, parameters: Parameters, steps: Steps = PLAIN) -> Array:
    """Equations 1, 7 and 14: clip(round(x / S) + Z, q_min, q_max); int64 of the shape of ``x``.

    ``x`` is float32. Raises RangeError where it has NaN; infinities become the ends.
    """
    whole = before_clipping(x, parameters, steps)
    return np.clip(whole, parameters.q_min, parameters.q_max).astype(np.int64)


def before_clipping(x: Array, parameters: Parameters, steps: Steps = PLAIN) -> Array:
    """round(x / S) + Z: whole numbers as floats. Raises RangeError where ``x`` has NaN."""
    values = np.asarray(x, np.float32).astype(steps.dtype)
    if np.isnan(values).any():
        raise RangeError(f"{int(np.isnan(values).sum()):,} of {values.size:,} numbers are NaN")
    scale = _along(parameters.scale, parameters.axis, values.ndim).astype(steps.dtype)
    zero_point = _along(parameters.zero_point, parameters.axis, values.ndim)
    with np.errstate(over="ignore"):
        if steps.way == "divide":
            return _rounded(values / scale, steps.ties) + zero_point
        inverse = (1 / scale if parameters.inverse is None else parameters.inverse).astype(
            steps.dtype
        )
        if steps.way == "reciprocal":
            return _rounded(values * inverse, steps.ties) + zero_point
        if steps.way == "sum":
            return _rounded(values * inverse + zero_point.astype(steps.dtype), steps.ties)
        # Products of float32 numbers are exact in float64, and so is adding a small integer.
        fused = (values.astype(np.float64) * inverse.astype(np.float64)) + zero_point
        return _rounded(fused.astype(np.float32), steps.ties)


def dequantize(integers: Array, parameters: Parameters) -> Array:
    """Equation 15, with Equation 1's zero point taken off first: (x_q - Z) S, float64, exact."""
    integers = np.asarray(integers)
    scale = _along(parameters.scale, parameters.axis, integers.ndim)
    zero_point = _along(parameters.zero_point, parameters.axis, integers.ndim)
    return (integers.astype(np.int64) - zero_point) * scale.astype(np.float64)


def representable(parameters: Parameters) -> Tuple[Array, Array]:
    """The smallest and the largest number that an integer stands for, float64."""
    scale = parameters.scale.astype(np.float64)
    low, high = (
        (end - parameters.zero_point) * scale for end in (parameters.q_min, parameters.q_max)
    )
    return low, high


def _range(f_min: Array, f_max: Array, steps: Steps) -> Tuple[Array, Array]:
    low, high = (np.asarray(end, np.float32).astype(steps.dtype) for end in (f_min, f_max))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        raise RangeError("the range is not finite: calibrate on finite numbers")
    if (low > high).any():
        raise RangeError("the range's smallest number is larger than its largest")
    return low, high


def _largest(f_min: Array, f_max: Array, steps: Steps) -> Array:
    low, high = _range(f_min, f_max, steps)
    return np.maximum(np.abs(low), np.abs(high))


def _scale(values: Array, steps: Steps) -> Array:
    """As float32, which the paper says S is: positive and finite."""
    with np.errstate(over="ignore", under="ignore"):
        scale = np.maximum(np.asarray(values).astype(np.float32), np.float32(steps.smallest_scale))
    if not (np.isfinite(scale).all() and (scale > 0).all()):
        raise RangeError("the range is a single number, or its scale is no positive float32")
    return scale


def _symmetric(scale: Array, q_min: int, q_max: int, axis: Optional[int]) -> Parameters:
    return Parameters(scale, np.zeros(scale.shape, np.int64), q_min, q_max, axis)


def _full(bits: int) -> Tuple[int, int]:
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


def _rounded(values: Array, ties: str) -> Array:
    nearest = np.rint(values)
    if ties == "even":
        return nearest
    whole = np.trunc(values)
    is_tie = np.abs(values - whole) == 0.5
    return np.where(is_tie, whole + np.sign(values), nearest)


def _along(values: Array, axis: Optional[int], dimensions: int) -> Array:
    """Shaped so that it applies along ``axis`` of a tensor."""
    if axis is None:
        return np.asarray(values)
    shape = [1] * dimensions
    shape[axis] = -1
    return np.asarray(values).reshape(shape)
