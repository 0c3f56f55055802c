"""Affine quantization: literal integers, and what holds for all values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.affine import dequantized, quantized


def test_integers_are_rounded_shifted_and_clipped() -> None:
    values = np.array([-100.0, -1.0, -0.24, 0.0, 0.26, 1.0, 100.0], np.float32)
    found = quantized(values, np.dtype("int8"), 0.5, -1)
    assert found.dtype == np.int8 and found.tolist() == [-128, -3, -1, -1, 0, 1, 127]
    assert dequantized(found, 0.5, -1).tolist() == [-63.5, -1.0, 0.0, 0.0, 0.5, 1.0, 64.0]


def test_pixels_become_int8_by_their_number_less_128() -> None:
    assert quantized(np.array([0.0, 127.0, 255.0]), np.int8, 1.0, -128).tolist() == [-128, -1, 127]


def test_floats_are_left_as_they_are() -> None:
    values = np.array([0.1, -7.0], np.float32)
    assert quantized(values, np.float32, 0.0, 0) is values
    assert dequantized(values, 0.5, 3) is values


def test_integers_without_a_scale_are_left_as_they_are() -> None:
    values = np.array([3, 4], np.int32)
    assert dequantized(values, 0.0, 0) is values


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
@given(
    scale=st.floats(1e-3, 1e3),
    share=st.floats(0, 1),
    place=st.floats(0, 1),
)
def test_what_lies_in_the_range_comes_back_to_half_a_step(
    dtype: type, scale: float, share: float, place: float
) -> None:
    limits = np.iinfo(dtype)
    zero_point = round(limits.min + share * (limits.max - limits.min))
    value = (limits.min - zero_point + place * (limits.max - limits.min)) * scale
    again = dequantized(quantized(np.array([value]), dtype, scale, zero_point), scale, zero_point)
    assert abs(again[0] - value) <= scale * 0.5 * (1 + 1e-6)
