"""Conversion to bfloat16 and float16 beside numpy, struct, and exact fractions."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.arithmetic.float_formats import (
    FLOAT16_SMALLEST,
    from_bfloat16,
    from_float16,
    to_bfloat16,
    to_float16,
)
from runners.arithmetic.gradients import flushed

BITS = st.integers(0, 2**32 - 1)


def float32(bits: int) -> float:
    (value,) = struct.unpack("<f", struct.pack("<I", bits))
    return float(value)


def one(convert: Any, value: float) -> int:
    return int(convert(np.float32(value)))


@given(BITS)
def test_float16_is_numpys(bits: int) -> None:
    x = np.array([bits], np.uint32).view(np.float32)
    with np.errstate(over="ignore"):
        theirs = x.astype(np.float16)
    ours = to_float16(x)
    if math.isnan(x[0]):
        assert np.isnan(ours.view(np.float16)).all()
    else:
        assert ours[0] == theirs.view(np.uint16)[0]


@given(st.floats(-65504, 65504, width=32))
def test_float16_is_structs(value: float) -> None:
    (bits,) = struct.unpack("<H", struct.pack("<e", value))
    assert one(to_float16, value) == bits


@given(BITS)
def test_bfloat16_is_the_nearest_by_exact_fractions(bits: int) -> None:
    value = float32(bits)
    found = one(to_bfloat16, np.array([bits], np.uint32).view(np.float32)[0])
    if math.isnan(value):
        assert math.isnan(float(from_bfloat16(np.uint16(found))))
        return
    low = bits >> 16
    if bits & 0xFFFF == 0:
        assert found == low
        return
    if (low + 1) & 0x7FFF == 0x7F80:  # what would come after the largest
        next_one = Fraction(2) ** 128 * (-1 if bits >> 31 else 1)
    else:
        next_one = Fraction(float32((low + 1) << 16))
    below = abs(Fraction(value) - Fraction(float32(low << 16)))
    above = abs(next_one - Fraction(value))
    nearest = low if below < above else low + 1 if above < below else low + (low & 1)
    assert found == nearest


@given(st.integers(0, 2**16 - 1))
def test_back_and_again_is_the_same(bits: int) -> None:
    for to, back in ((to_bfloat16, from_bfloat16), (to_float16, from_float16)):
        value = back(np.uint16(bits))
        if not np.isnan(value):
            assert int(to(value)) == bits
    theirs = np.array([bits], np.uint16).view(np.float16).astype(np.float32)
    assert np.array_equal(from_float16(np.array([bits])), theirs, equal_nan=True)


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (0.0, 0), (-0.0, 0x8000), (1.0, 0x3C00), (65504.0, 0x7BFF), (65519.99, 0x7BFF),
        (65520.0, 0x7C00), (-1e30, 0xFC00), (math.inf, 0x7C00),
        (2.0**-14, 0x0400),  # the smallest normal
        (2.0**-24, 0x0001), (2.0**-25, 0), (1.0001 * 2.0**-25, 1), (3 * 2.0**-25, 2),
        (2049.0, 0x6800), (2051.0, 0x6802),  # ties to even
    ],
)  # fmt: skip
def test_float16_at_its_ends(value: float, bits: int) -> None:
    assert one(to_float16, value) == bits


@pytest.mark.parametrize(
    ("value", "bits"),
    [
        (1.0, 0x3F80), (-0.0, 0x8000), (65536.0, 0x4780), (3.4e38, 0x7F80), (3.38e38, 0x7F7E),
        (1 + 2.0**-8, 0x3F80), (1 + 3 * 2.0**-8, 0x3F82),  # ties to even
        (2.0**-133, 0x0001), (2.0**-134, 0x0000),  # the smallest subnormal, and half of it
    ],
)  # fmt: skip
def test_bfloat16_at_its_ends(value: float, bits: int) -> None:
    assert one(to_bfloat16, value) == bits


def test_a_nan_whose_bits_lie_low_stays_a_nan() -> None:
    x = np.array([0x7F800001, 0xFF800001], np.uint32).view(np.float32)
    assert np.isnan(from_bfloat16(to_bfloat16(x))).all()
    assert np.isnan(from_float16(to_float16(x))).all()


def test_a_loss_scale_keeps_small_gradients() -> None:
    gradients = [np.array([0.0, 1e-9, -1e-6, 1e-3]), np.array([[1e-10]])]
    plain = flushed(gradients)
    assert (plain.gradients, plain.zero, plain.subnormal, plain.infinite) == (4, 2, 1, 0)
    assert plain.share(plain.zero) == 0.5
    scaled = flushed(gradients, 1024)
    assert (scaled.zero, scaled.subnormal) == (0, 2) or scaled.zero == 0
    far = flushed(gradients, 2.0**30)
    assert (far.zero, far.infinite) == (0, 1)


@given(st.floats(2.0**-40, 1.0, width=32), st.integers(0, 14))
def test_a_power_of_two_never_flushes_more(value: float, power: int) -> None:
    before, after = (flushed([np.float32(value)], s).zero for s in (1.0, 2.0**power))
    assert after <= before
    assert (before == 1) == (value <= FLOAT16_SMALLEST / 2)
