"""Kendall's rank correlation with its exact probability."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from comparisons.rank_correlation import orders_by_inversions, rank_correlation

TEN = list(range(10))


@pytest.mark.parametrize(
    ("second", "tau", "p"),
    [
        ([1, 2, 3, 4], 1.0, 2 / 24),
        ([4, 3, 2, 1], -1.0, 2 / 24),
        ([1, 2, 4, 3], 2 / 3, 8 / 24),
        ([3, 1, 4, 2], 0.0, 1.0),
    ],
)
def test_of_four_rows(second: list[float], tau: float, p: float) -> None:
    found = rank_correlation([1, 2, 3, 4], second)
    assert (found.tau, found.rows) == (pytest.approx(tau), 4)
    assert found.p == pytest.approx(p)


def test_chance_gives_ten_rows_half_as_claims_about_them_say() -> None:
    """Kendall 1948, appendix table 1: 0.023 for S of 23 and 0.036 for 21, one-sided."""
    counts = orders_by_inversions([1] * 10)
    tail = [sum(counts[: (45 - score) // 2 + 1]) / sum(counts) for score in (23, 21)]
    assert tail == pytest.approx([0.0233, 0.0363], abs=1e-4)
    half_tied = orders_by_inversions([5, 1, 1, 1, 1, 1])
    assert 2 * sum(half_tied[: (35 - 23) // 2 + 1]) / sum(half_tied) == pytest.approx(
        0.0305, abs=1e-4
    )


def test_ties_are_no_pair_and_make_the_largest_tau_smaller() -> None:
    found = rank_correlation([5, 4, 3, 2, 1], [0, 0, 1, 2, 3])
    assert found.tau == -0.9
    assert found.p == pytest.approx(2 / 60)


def test_ties_on_both_sides_have_no_probability() -> None:
    assert rank_correlation([1, 1, 2], [1, 2, 2]).p is None
    assert rank_correlation(range(51), range(51)).p is None


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 3), min_size=2, max_size=6))
def test_the_probability_is_the_share_of_all_orders(second: list[int]) -> None:
    first = list(range(len(second)))
    found = rank_correlation(first, second)
    every = [rank_correlation(first, order).tau for order in itertools.permutations(second)]
    assert found.p == pytest.approx(
        sum(abs(tau) >= abs(found.tau) - 1e-12 for tau in every) / len(every)
    )


@settings(deadline=None)
@given(st.permutations(TEN))
def test_without_ties_it_is_scipys(second: list[int]) -> None:
    found, wanted = rank_correlation(TEN, second), stats.kendalltau(TEN, second, method="exact")
    assert found.tau == pytest.approx(wanted.statistic)
    assert found.p == pytest.approx(min(1.0, wanted.pvalue))
