"""Intervals over processes, and whether two sets of them differ."""

from __future__ import annotations

import random

import pytest

from comparisons.intervals import (
    adjusted,
    median_interval,
    p_value,
    ratio_interval,
    share_interval,
)
from comparisons.pair_verdicts import SIGNIFICANT
from tests.comparisons.noise import times

TRIALS = 200


def test_one_process_has_no_interval() -> None:
    assert median_interval([1.0]) is None
    assert ratio_interval([1.0], [1.0, 2.0]) is None
    assert p_value([1.0], [1.0, 2.0]) is None


def test_processes_that_agree_exactly_have_an_interval_of_no_width() -> None:
    assert median_interval([42.0, 42.0, 42.0]) == (42.0, 42.0)
    assert ratio_interval([2.0, 2.0], [1.0, 1.0]) == (0.5, 0.5)
    assert p_value([2.0, 2.0], [2.0, 2.0]) == 1.0
    assert p_value([2.0, 2.0], [1.0, 1.0]) == pytest.approx(1 / 3)


def test_few_processes_take_students_t_on_logarithms() -> None:
    # By hand: mean of logs ln 2, deviation ln 2, t(0.975, 2 degrees) = 4.302653.
    interval = median_interval([1.0, 2.0, 4.0])
    assert interval == pytest.approx((0.357462, 11.189998), rel=1e-5)


def test_an_interval_is_the_same_every_time() -> None:
    values = times(random.Random(1), 12)
    assert median_interval(values) == median_interval(list(values))


def test_many_processes_take_the_interval_of_ranks() -> None:
    # Conover's table for n = 100 and 95 %: the 40th and the 61st of the ordered values.
    assert median_interval([float(n) for n in range(1, 101)]) == (40.0, 61.0)


@pytest.mark.parametrize("count", [3, 8, 40])
def test_nineteen_of_twenty_intervals_hold_the_true_ratio(count: int) -> None:
    source = random.Random(count)
    held = 0
    for _ in range(TRIALS):
        interval = ratio_interval(times(source, count), times(source, count, 1.25))
        assert interval is not None
        held += interval.low <= 1.25 <= interval.high
    assert held >= 0.91 * TRIALS


@pytest.mark.parametrize("count", [2, 3, 5, 6, 10, 30])
def test_the_same_configuration_is_rarely_called_different(count: int) -> None:
    """A/A, 200 times each."""
    source = random.Random(count)
    p_values = [p_value(times(source, count), times(source, count)) for _ in range(TRIALS)]
    assert sum(p is not None and p < SIGNIFICANT for p in p_values) <= 0.05 * TRIALS


def test_a_slowdown_of_5_percent_is_found_in_ten_processes() -> None:
    source = random.Random(5)
    p_values = [p_value(times(source, 10), times(source, 10, 1.05)) for _ in range(TRIALS)]
    assert sum(p is not None and p < SIGNIFICANT for p in p_values) >= 0.9 * TRIALS


def test_a_share_has_wilsons_interval() -> None:
    # Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662.
    assert share_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert share_interval(0, 20).low == 0.0
    assert share_interval(20, 20).high == pytest.approx(1.0)


def test_many_comparisons_are_corrected() -> None:
    assert adjusted([0.04]) == [0.04]
    assert adjusted([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert adjusted([]) == []
