"""shafique2023's equations 1 to 3, 7 to 9, 13 to 15, and what has to hold of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from runners.arithmetic.calibrators import by_channel, min_max
from runners.arithmetic.quantizers import (
    Parameters,
    RangeError,
    Steps,
    asymmetric,
    dequantize,
    quantize,
    representable,
    symmetric_full,
    symmetric_restricted,
    tensorrt,
    with_zero,
)

Make = Callable[..., Parameters]
EVERY = [asymmetric, symmetric_full, symmetric_restricted, tensorrt]
SYMMETRIC = [symmetric_full, symmetric_restricted, tensorrt]
# Normal float32 numbers, far from where a scale has no bits left.
FAR = 2.0**66
NORMAL = st.floats(-FAR, FAR, width=32).filter(lambda x: x == 0 or abs(x) > 1 / FAR)


def tensors(**shape: Any) -> st.SearchStrategy[Any]:
    sizes = shape or {"min_dims": 1, "max_dims": 2, "min_side": 2, "max_side": 12}
    return numbers.arrays(np.float32, numbers.array_shapes(**sizes), elements=NORMAL)


def ranged(x: Any) -> tuple[Any, Any]:
    """The tensor's range with 0; a tensor of zeros has none."""
    assume(bool((x != 0).any()))
    return with_zero(x.min(), x.max())


def test_the_papers_example_of_asymmetric_quantization() -> None:
    """Equations 4 to 6."""
    parameters = asymmetric(-2.5, 5)
    assert float(parameters.scale) == pytest.approx(7.5 / 255, rel=1e-7)
    assert int(parameters.zero_point) == -43
    assert int(quantize(4.1, parameters)) == 96
    assert [int(quantize(end, parameters)) for end in (-2.5, 0, 5)] == [-128, -43, 127]


def test_the_papers_example_of_the_restricted_range() -> None:
    """Equations 10 and 11; the scale is 0.06299, and the paper prints 0.0629."""
    parameters = symmetric_restricted(-8, 8)
    assert round(float(parameters.scale), 5) == 0.06299
    assert int(quantize(3.86, parameters)) == 61
    assert (parameters.q_min, parameters.q_max) == (-127, 127)


def test_full_range_and_tensorrts_form() -> None:
    assert float(symmetric_full(-8, 5).scale) == pytest.approx(16 / 255, rel=1e-7)
    # The largest number lies half a step beyond the largest integer.
    full = symmetric_full(-127.5, 127.5)
    assert float(full.scale) == 1
    assert quantize([-127.5, 127.5], full).tolist() == [-128, 127]
    form = tensorrt(-8, 5)
    assert float(form.scale) == pytest.approx(8 / 127, rel=1e-7)
    # -128 is reached beyond the range alone.
    assert quantize([-8, -8.1, 9], form).tolist() == [-127, -128, 127]


def test_bits_other_than_eight() -> None:
    four = asymmetric(0, 15, bits=4)
    assert (four.q_min, four.q_max) == (-8, 7)
    assert float(four.scale) == 1 and int(four.zero_point) == -8
    assert quantize([0, 7, 15], four).tolist() == [-8, -1, 7]
    assert quantize([-7, 7], symmetric_restricted(-7, 7, bits=4)).tolist() == [-7, 7]


def test_a_range_without_zero_gives_a_zero_point_that_is_no_int8() -> None:
    """Equation 3 as it stands; widened to hold 0 it is one."""
    assert int(asymmetric(1, 2).zero_point) == -383
    assert int(asymmetric(*with_zero(1, 2)).zero_point) == -128


@pytest.mark.parametrize("make", EVERY)
@given(x=tensors())
def test_inside_the_range_a_round_trip_loses_half_a_step_at_most(make: Make, x: Any) -> None:
    parameters = make(*ranged(x))
    back = dequantize(quantize(x, parameters), parameters)
    low, high = representable(parameters)
    inside = (x >= low) & (x <= high)
    # Half an integer, and what a float32 scale leaves open of the 255th.
    assert (np.abs(back - x)[inside] <= float(parameters.scale) * (0.5 + 1e-4)).all()


@pytest.mark.parametrize("make", EVERY)
@given(x=tensors(min_dims=1, max_dims=1, min_side=2, max_side=20))
def test_monotone_and_within_the_integers(make: Make, x: Any) -> None:
    parameters = make(*ranged(x))
    integers = quantize(np.sort(x), parameters)
    assert (np.diff(integers) >= 0).all()
    assert integers.min() >= parameters.q_min and integers.max() <= parameters.q_max


@pytest.mark.parametrize("make", EVERY)
@given(x=tensors())
def test_zero_is_exact(make: Make, x: Any) -> None:
    parameters = make(*ranged(x))
    assert int(quantize(0.0, parameters)) == int(parameters.zero_point)
    assert float(dequantize(quantize(0.0, parameters), parameters)) == 0
    assert parameters.q_min <= int(parameters.zero_point) <= parameters.q_max


@pytest.mark.parametrize("make", SYMMETRIC)
@given(x=tensors())
def test_symmetric_quantization_is_odd(make: Make, x: Any) -> None:
    """But for the one integer that has no opposite."""
    parameters = make(*ranged(x))
    there, back = quantize(x, parameters), quantize(-x, parameters)
    both = (there > -128) & (back > -128)
    assert (there[both] == -back[both]).all()
    assert int(parameters.zero_point) == 0


@pytest.mark.first(4)
@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("axis", [0, 1, -1])
@given(x=tensors(min_dims=3, max_dims=3, min_side=2, max_side=4))
def test_by_channel_is_each_channel_by_itself(make: Make, axis: int, x: Any) -> None:
    rows = np.moveaxis(x, axis, 0)
    assume(all((row != 0).any() for row in rows))
    found = by_channel(x, axis)
    parameters = make(*with_zero(*found), axis=axis)
    integers = np.moveaxis(quantize(x, parameters), axis, 0)
    numbers_back = np.moveaxis(dequantize(quantize(x, parameters), parameters), axis, 0)
    for channel, row in enumerate(rows):
        alone = make(*with_zero(row.min(), row.max()))
        assert float(alone.scale) == float(parameters.scale[channel])
        assert (quantize(row, alone) == integers[channel]).all()
        assert (dequantize(integers[channel], alone) == numbers_back[channel]).all()


@pytest.mark.parametrize("way", ["divide", "reciprocal", "sum", "fused"])
@given(x=tensors(), wide=st.booleans())
def test_other_steps_move_a_number_by_one_integer_at_most(way: str, x: Any, wide: bool) -> None:
    steps = Steps("float64" if wide else "float32", way, "away")
    parameters = asymmetric(*ranged(x))
    moved = np.abs(quantize(x, parameters, steps) - quantize(x, parameters))
    assert moved.max() <= 1


def test_ties() -> None:
    parameters = symmetric_restricted(-127, 127)
    values = [0.5, 1.5, 2.5, -0.5, -2.5, 0.49999997]
    assert quantize(values, parameters).tolist() == [0, 2, 2, 0, -2, 0]
    away = Steps(ties="away")
    assert quantize(values, parameters, away).tolist() == [1, 2, 3, -1, -3, 0]
    # Where Z is added first, it decides what is even.
    odd = parameters._replace(zero_point=np.int64(1))
    for way in ("sum", "fused"):
        found = quantize(values, odd, Steps("float32", way))
        assert found.tolist() == [2, 2, 4, 0, -2, 2], way
    assert quantize(values, odd).tolist() == [1, 3, 3, 1, -1, 1]


@pytest.mark.parametrize("make", EVERY)
@pytest.mark.parametrize("ends", [(0, 0), (np.nan, 1), (0, np.inf), (2, 1), (0, 1e-45)], ids=str)
def test_a_range_that_gives_no_scale_is_refused_in_a_line(
    make: Make, ends: tuple[float, float]
) -> None:
    with pytest.raises(RangeError) as refused:
        make(*ends)
    assert str(refused.value) and "\n" not in str(refused.value)


def test_a_wide_range_does_not_overflow_on_its_way() -> None:
    """f_max - f_min is beyond float32 here, its 255th is not."""
    parameters = asymmetric(-3e38, 3e38)
    assert float(parameters.scale) == pytest.approx(6e38 / 255, rel=1e-6)


def test_a_product_and_a_sum_in_one_rounding_are_not_the_same_as_in_two() -> None:
    """The product lies just above 96.5, and is 96.5 once it is float32."""
    x = np.float32(1243.8624)
    parameters = Parameters(np.float32(12.889766), np.int64(-128), -128, 127)
    found = [int(quantize(x, parameters, Steps("float32", way))) for way in ("sum", "fused")]
    assert found == [-32, -31]


def test_infinities_become_the_ends_and_nan_is_refused() -> None:
    parameters = asymmetric(-1, 1)
    assert quantize([-np.inf, np.inf], parameters).tolist() == [-128, 127]
    with pytest.raises(RangeError, match="1 of 2 numbers are NaN"):
        quantize([np.nan, 0], parameters)


def test_what_min_max_finds_is_inside() -> None:
    x = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    parameters = symmetric_restricted(*min_max([x]))
    assert np.abs(quantize(x, parameters)).max() == 127
