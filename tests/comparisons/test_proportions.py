"""Shares of right answers on the same images, and on any."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.proportions import paired_interval, paired_p, unpaired_interval, unpaired_p

TRIALS = 400


def test_mcnemars_test_is_exact() -> None:
    # 2 * (1 + 15 + 105) / 2^15
    assert paired_p(13, 2) == pytest.approx(242 / 32768)
    assert paired_p(2, 13) == paired_p(13, 2)
    assert paired_p(0, 0) == paired_p(5, 5) == 1.0


def test_a_paired_difference_has_tangos_interval() -> None:
    # Tango 1998, table III: 12 and 2 of 50, 0.0611 to 0.3447.
    assert paired_interval(2, 12, 50) == pytest.approx((0.0611, 0.3447), abs=5e-5)


def test_answers_that_all_agree_leave_an_interval_that_shrinks_with_the_images() -> None:
    for images in (10, 360, 10_000):
        square = 1.959963984540054**2
        end = square / (images + square)
        assert paired_interval(0, 0, images) == pytest.approx((-end, end), rel=1e-3)


def test_an_unpaired_difference_has_newcombes_interval() -> None:
    # Newcombe 1998, table II, method 10: 56 of 70 and 48 of 80, 0.0524 to 0.3339.
    found = unpaired_interval(48 / 80, 56 / 70, 80, 70)
    assert found == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_an_unpaired_difference_has_the_score_tests_p() -> None:
    # z = 0.2 / sqrt(104/150 * 46/150 * (1/70 + 1/80)) = 2.650
    assert unpaired_p(48 / 80, 56 / 70, 80, 70) == pytest.approx(0.00805, abs=2e-5)
    assert unpaired_p(1.0, 1.0, 50, 50) == 1.0


@given(st.integers(1, 2000), st.data())
def test_an_interval_holds_what_was_seen(images: int, data: st.DataObject) -> None:
    lost = data.draw(st.integers(0, images))
    won = data.draw(st.integers(0, images - lost))
    low, high = paired_interval(lost, won, images)
    assert -1 <= low <= (won - lost) / images <= high <= 1
    assert paired_interval(won, lost, images) == pytest.approx((-high, -low), abs=1e-9)


@pytest.mark.parametrize(("images", "lose", "win"), [(360, 0.04, 0.01), (100, 0.1, 0.1)])
def test_nineteen_of_twenty_intervals_hold_the_true_difference(
    images: int, lose: float, win: float
) -> None:
    source, held = random.Random(images), 0
    for _ in range(TRIALS):
        draws = [source.random() for _ in range(images)]
        lost = sum(draw < lose for draw in draws)
        won = sum(lose <= draw < lose + win for draw in draws)
        found = paired_interval(lost, won, images)
        held += found.low <= win - lose <= found.high
    assert held >= 0.92 * TRIALS
