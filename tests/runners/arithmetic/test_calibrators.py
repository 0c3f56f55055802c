"""Calibrators of section 3.5, and Equation 12's error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numbers

from runners.arithmetic.calibrators import Range, by_channel, min_max, moving_average
from runners.arithmetic.histograms import entropy, mse, percentile
from runners.arithmetic.quantization_error import split_error
from runners.arithmetic.quantizers import (
    RangeError,
    asymmetric,
    quantize,
    symmetric_restricted,
    tensorrt,
    with_zero,
)

Calibrate = Callable[[Any], Range]
EVERY = [min_max, moving_average, percentile, entropy, mse]
VALUES = numbers.arrays(
    np.float32, st.integers(2, 60), elements=st.floats(-100, 100, width=32)
).map(lambda x: np.where(np.abs(x) < 1e-3, np.float32(0), x))


def test_min_max_is_over_all_batches() -> None:
    assert min_max([[-1.0, 2.0], [0.5, 3.0]]) == (-1, 3)


def test_a_moving_average_takes_the_first_batch_whole() -> None:
    found = moving_average([[-1.0, 1.0], [-2.0, 3.0]], averaging=0.25)
    assert found == (-1.25, 1.5)


def test_a_percentile_leaves_out_what_lies_outermost() -> None:
    x = np.concatenate([np.linspace(-1, 1, 9998), [-100, 100]])
    low, high = percentile([x], kept=99.9)
    assert -1.2 < low < -0.9 and 0.9 < high < 1.2
    assert percentile([x], kept=100) == (-100, 100)


def test_entropy_clips_a_long_tail_and_keeps_a_range_without_one() -> None:
    generator = np.random.default_rng(0)
    even = generator.uniform(-1, 1, 100_000)
    low, high = entropy([even])
    assert high == -low and high > 0.95
    tailed = np.concatenate([generator.normal(size=100_000), [60.0]])
    assert entropy([tailed]).f_max < 20


def test_mse_gives_up_an_outlier() -> None:
    """Its error is the least of those that it tries, which the whole range is one of."""
    x = np.concatenate([np.random.default_rng(0).normal(size=50_000), [40.0]])
    found = mse([x])
    assert found.f_max < 40
    chosen, whole = (split_error(x, asymmetric(*ends)).total for ends in (found, min_max([x])))
    assert chosen < whole


def test_mse_is_not_misled_by_a_pattern_in_the_tensor() -> None:
    """Small numbers at every 16th place, as the edge of a channel's picture may have them."""
    x = np.random.default_rng(0).normal(size=2**20).astype(np.float32)
    x[::16] *= 0.01
    chosen, whole = (split_error(x, asymmetric(*ends)).total for ends in (mse([x]), min_max([x])))
    assert chosen < whole * 1.05


@pytest.mark.parametrize("calibrate", EVERY)
@given(x=VALUES)
@settings(max_examples=30)
def test_a_range_lies_within_the_numbers_and_quantizes(calibrate: Calibrate, x: Any) -> None:
    assume(x.min() != x.max())
    low, high = calibrate([x])
    most = np.abs(x).max() * (1 + 1e-6)
    assert -most <= low <= high <= most
    quantize(x, symmetric_restricted(*with_zero(low, high)))


@pytest.mark.parametrize("calibrate", EVERY)
@pytest.mark.parametrize(
    ("batches", "told"),
    [
        ([], "no batch"),
        ([np.zeros((0, 3))], "empty"),
        ([np.full(9, 2.5)], "all numbers are 2.5"),
        ([np.zeros(9)], "all numbers are 0"),
        ([np.array([1.0, np.nan])], "1 of 2 numbers are NaN or infinite"),
        ([np.array([1.0, 2.0]), np.array([-np.inf, np.inf])], "2 of 2 numbers"),
    ],
    ids=["no batch", "empty", "constant", "zeros", "NaN", "infinity"],
)
def test_what_cannot_calibrate_is_refused_in_a_line(
    calibrate: Calibrate, batches: Any, told: str
) -> None:
    with pytest.raises(RangeError, match=told) as refused:
        calibrate(batches)
    assert "\n" not in str(refused.value)


def test_channels_are_refused_for_nan_and_not_for_a_constant_channel() -> None:
    assert [e.tolist() for e in by_channel([[1.0, 1], [2, 3]], 0)] == [[1, 2], [1, 3]]
    with pytest.raises(RangeError, match="NaN"):
        by_channel([[1.0, np.nan]], 0)


@given(x=VALUES, shrunk=st.floats(0.05, 1.5))
def test_rounding_and_clipping_are_the_whole_error(x: Any, shrunk: float) -> None:
    """Equation 12, in squares over disjoint elements."""
    assume(bool((x != 0).any()))
    low, high = with_zero(x.min(), x.max())
    found = split_error(x, asymmetric(low * shrunk, high * shrunk))
    assert found.rounding + found.clipping == pytest.approx(found.total, rel=1e-12)
    assert found.elements == x.size and 0 <= found.clipped <= x.size
    assert (found.clipping > 0) <= (found.clipped > 0)
    # No rounding is more than half a step.
    step = float(asymmetric(low * shrunk, high * shrunk).scale)
    assert found.rounding <= (found.elements - found.clipped) * (step * 0.5001) ** 2


def test_an_error_by_hand() -> None:
    """Steps of 1: 0.25 is rounded, 130 is clipped to 127."""
    found = split_error(np.array([0.25, 3, 130]), tensorrt(-127, 127))
    assert (found.rounding, found.clipping, found.total) == (0.0625, 9, 9.0625)
    assert (found.clipped, found.elements) == (1, 3)
    assert found.share(found.total) == pytest.approx(9.0625 / (0.0625 + 9 + 16900))
    assert split_error(np.zeros(3), tensorrt(-1, 1)).share(0.0) is None
