"""float32 to bfloat16 and float16 and back, in integers (shafique2023, section 3.1).

bfloat16: 8 bits of exponent, 7 of fraction: float32's range (3.39e38), 2 to 3 decimal digits.
float16: 5 and 10: largest 65504, smallest normal 2^-14, smallest subnormal 2^-24 (5.96e-8). Both
are rounded to nearest, ties to even; beyond the largest by half a step it is infinity, NaN stays.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

FLOAT16_MAX = 65504.0
FLOAT16_SMALLEST_NORMAL = 2.0**-14
FLOAT16_SMALLEST = 2.0**-24
_FRACTION = 23  # bits of float32
_MAGNITUDE = 0x7FFFFFFF
_INFINITY = 0x7F800000


def to_bfloat16(x: Array) -> Array:
    """uint16 bits, of the shape of ``x`` (float32): the upper half of the bits, rounded."""
    bits = _bits(x)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
    quiet = (bits >> 16) | 0x0040
    return np.where(_is_nan(bits), quiet, rounded).astype(np.uint16)


def from_bfloat16(bits: Array) -> Array:
    """float32, exactly."""
    return (np.asarray(bits, np.uint16).astype(np.uint32) << 16).view(np.float32)


def to_float16(x: Array) -> Array:
    """uint16 bits, of the shape of ``x`` (float32)."""
    bits = _bits(x)
    sign = (bits >> 16) & 0x8000
    magnitude = bits & _MAGNITUDE
    exponent = magnitude >> _FRACTION
    # 1.fraction in units of float16's last place, which is 2^-24 for everything below 2^-14.
    dropped = np.clip(126 - exponent, 13, 40)
    significand = np.where(exponent > 0, (magnitude & 0x7FFFFF) | 0x800000, 0)
    units = _shifted(significand, dropped)
    normal = (np.maximum(exponent - 113, 0) << 10) + units
    finite = np.where(exponent >= 143, 0x7C00, np.minimum(normal, 0x7C00))
    found = np.where(_is_nan(bits), 0x7E00 | ((bits >> 13) & 0x3FF), finite)
    return (sign | found).astype(np.uint16)


def from_float16(bits: Array) -> Array:
    """float32, exactly."""
    wide = np.asarray(bits, np.uint16).astype(np.int64)
    sign = np.where(wide & 0x8000, -1.0, 1.0)
    exponent, fraction = (wide >> 10) & 31, wide & 0x3FF
    units = np.where(exponent > 0, fraction + 1024, fraction)
    values = sign * np.ldexp(units.astype(np.float64), np.maximum(exponent, 1) - 25)
    special = np.where(fraction > 0, np.nan, sign * np.inf)
    return np.where(exponent == 31, special, values).astype(np.float32)


def _bits(x: Array) -> Array:
    return np.asarray(x, np.float32).view(np.uint32).astype(np.int64)


def _is_nan(bits: Array) -> Array:
    return (bits & _MAGNITUDE) > _INFINITY


def _shifted(values: Array, by: Array) -> Array:
    """values / 2^by, rounded to nearest, ties to even."""
    whole = values >> by
    rest = values - (whole << by)
    half = np.int64(1) << (by - 1)
    up = (rest > half) | ((rest == half) & (whole & 1 == 1))
    return whole + up
