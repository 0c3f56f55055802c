"""Statistics of raw samples: too few give none, never a guess."""

from __future__ import annotations

import pytest

from comparisons.statistics import median, percentile, readings, spread
from tests.comparisons.samples import metric


def test_missing_samples_are_left_out_and_are_not_zero() -> None:
    assert readings(metric("latency_s", 0.5, None, 0.0)) == [0.5, 0.0]


@pytest.mark.parametrize(
    ("values", "middle"), [([], None), ([3], 3), ([5, 1], 3), ([9, 1, 2], 2), ([1, 2, 3, 10], 2.5)]
)
def test_medians(values: list[float], middle: float | None) -> None:
    assert median(values) == middle


@pytest.mark.parametrize(
    ("count", "percent", "value"),
    [
        (63, 90, None),
        (64, 90, 58),
        (100, 90, 90),
        (661, 99, None),
        (662, 99, 656),
        (64, 99, None),
        (1, 50, 1),
        (0, 50, None),
    ],
)
def test_percentiles_need_enough_samples(count: int, percent: float, value: int | None) -> None:
    assert percentile(list(range(count, 0, -1)), percent) == value


@pytest.mark.parametrize(
    ("values", "width"),
    [([1, 2, 3], None), ([1, 2, 3, 4], 0.6), ([5, 5, 5, 5], 0), ([0, 0, 0, 0], None)],
)
def test_the_spread_is_the_middle_half_over_the_median(
    values: list[float], width: float | None
) -> None:
    assert spread(values) == (None if width is None else pytest.approx(width))
