"""Affine quantization of a tensor by one scale and zero point: value = (integer - zero) * scale."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


def quantized(values: Array, dtype: Any, scale: float, zero_point: int) -> Array:
    """float32 values as integers of ``dtype``, rounded to the nearest and clipped to its range.

    Floating-point types take the values as they are.
    """
    if np.issubdtype(dtype, np.floating):
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    rounded = np.round(values / scale) + zero_point
    return np.clip(rounded, limits.min, limits.max).astype(dtype)


def dequantized(values: Array, scale: float, zero_point: int) -> Array:
    """Integers as float64 values; floats, and integers without a scale (0), as they are."""
    if np.issubdtype(values.dtype, np.floating) or not scale:
        return values
    return (values.astype(np.float64) - zero_point) * scale
