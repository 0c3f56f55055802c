"""Statistics of raw samples: too few give none, never a guess."""

from __future__ import annotations

import math
import random

import pytest

from comparisons.render.metric_rows import COLUMNS, metric_rows
from comparisons.statistics import median, percentile, readings, spread
from tests.comparisons.samples import measured, metric
from tests.manifests.samples import a_cell


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


def test_a_percentile_of_64_samples_is_an_estimate_and_called_so() -> None:
    """The 58th of 64 lies below the true p90 where 58 and more of them do: in 54 % of cases."""
    below = sum(math.comb(64, n) * 0.9**n * 0.1 ** (64 - n) for n in range(58, 65))
    assert below == pytest.approx(0.539, abs=5e-4)
    source = random.Random(1)
    found = [percentile([source.random() for _ in range(64)], 90) for _ in range(2000)]
    assert sum(p is not None and p < 0.9 for p in found) / 2000 == pytest.approx(below, abs=0.03)
    assert [name for name in COLUMNS if name.startswith("p9")] == [
        "p90 (estimate)", "p99 (estimate)"
    ]  # fmt: skip
    (row,) = metric_rows(measured(a_cell(), metric("latency_s", *map(float, range(1, 65)))), 3)
    assert (row.p90, row.p99) == ("58.00", "–")


@pytest.mark.parametrize(
    ("values", "width"),
    [([1, 2, 3], None), ([1, 2, 3, 4], 0.6), ([5, 5, 5, 5], 0), ([0, 0, 0, 0], None)],
)
def test_the_spread_is_the_middle_half_over_the_median(
    values: list[float], width: float | None
) -> None:
    assert spread(values) == (None if width is None else pytest.approx(width))
