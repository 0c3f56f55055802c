"""Planned looks: what decides, when, and how often where nothing differs."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from comparisons.sequential.decision import MOST_VOIDED, Contrast, Limits, Means, decide
from comparisons.sequential.estimate import Pair, estimate
from comparisons.sequential.looks import PLANNED, last_look, looks_within, next_look, nominal
from comparisons.sequential.partners import Process, Series, shared
from comparisons.sequential.student import quantile, two_sided
from tests.comparisons.trials import (
    NOISES,
    QUADRUPLES,
    a_pair,
    decided,
    share_decided,
    share_of_claims,
)


@given(st.floats(-40, 40), st.integers(1, 60))
def test_the_tail_of_t_is_scipys(t: float, freedom: int) -> None:
    expected = 2 * stats.t.sf(abs(t), freedom)
    assert two_sided(t, freedom) == pytest.approx(expected, abs=1e-12)


@given(st.sampled_from(sorted(PLANNED.values())), st.integers(1, 60))
def test_the_quantile_of_t_is_scipys(p: float, freedom: int) -> None:
    assert quantile(p, freedom) == pytest.approx(stats.t.isf(p / 2, freedom), rel=1e-9)


def test_two_partners_have_to_reach_these_t_at_the_looks() -> None:
    found = [round(quantile(p, 3 * n // 2 - 1), 2) for n, p in PLANNED.items()]
    assert found == [4.71, 3.51, 3.07, 2.68]


def test_there_are_looks_at_four_six_eight_and_twelve_and_then_at_doublings() -> None:
    assert looks_within(3) == []
    assert looks_within(5) == [4]
    assert looks_within(11) == [4, 6, 8]
    assert looks_within(50) == [4, 6, 8, 12, 24, 48]
    assert [last_look(n) for n in (2, 4, 7, 12, 23)] == [0, 4, 6, 12, 12]
    assert [next_look(n) for n in (1, 4, 5, 9, 13, 100)] == [4, 4, 6, 12, 24, 192]
    assert nominal(24) == nominal(12)


Y = [[(1.0, 1.2), (2.0, 2.4)], [(0.5, 0.4), (1.1, 1.3)], [(0.2, 0.1), (0.6, 0.9)]]


def test_a_contrast_is_that_of_least_squares() -> None:
    """Against the same model solved as one: a column for each quadruple and each cell."""
    import numpy

    rows, values = [], []
    for cell, pairs in enumerate(Y):
        for block, pair in enumerate(pairs):
            for value in pair:
                rows.append([block == 0, block == 1, cell == 1, cell == 2])
                values.append(value)
    design = numpy.array(rows, float)
    found, squares, rank, _ = numpy.linalg.lstsq(design, numpy.array(values), rcond=None)
    freedom = len(values) - rank
    assert freedom == 2 * 2 * 3 - 2 - 3 + 1
    covariance = squares[0] / freedom * numpy.linalg.inv(design.T @ design)
    contrast = numpy.array([0, 0, 0.5, -1.0])  # of the cells: 0.5, 0.5 and -1 for the first
    ours = estimate([0.5, 0.5, -1.0], [*(Y[index] for index in (0, 1, 2))])
    assert ours.freedom == freedom
    assert ours.centre == pytest.approx(found @ contrast)
    assert ours.error == pytest.approx(math.sqrt(contrast @ covariance @ contrast))


def test_what_is_held_against_a_number_has_students_t_of_its_processes() -> None:
    values = [value for pair in Y[0] for value in pair]
    ours = estimate([1.0], [Y[0]])
    expected = stats.ttest_1samp(values, 1.0)
    assert ours.freedom == 3
    assert ours.p(ours.centre - 1.0) == pytest.approx(expected.pvalue)


def test_processes_that_do_not_scatter_speak_by_their_order_alone() -> None:
    same: list[Pair] = [(1.0, 1.0)] * 2
    two = estimate([1.0, -1.0], [same, [(2.0, 2.0)] * 2])
    assert two.p(-1.0) == 2 / math.comb(8, 4)
    assert estimate([1.0], [same]).p(0.5) == 1 / 8


def a_series(*values: float | None, busy: tuple[int, ...] = ()) -> Series:
    return Series([
        Process(f"cell{id(values)}", repeat, value, 10.0, ("busy-machine",) * (repeat in busy))
        for repeat, value in enumerate(values)
    ])  # fmt: skip


def below(a: Series, b: Series, limits: Limits | None = None) -> tuple[str, str, int]:
    def contrast(means: Means) -> Contrast:
        return Contrast(means[a] - means[b], {a: 1.0, b: -1.0})

    found = decide(contrast, (a, b), limits or Limits())
    return found.side, found.why, found.look


QUICK = (1.0, 1.01, 0.99, 1.005, 1.0, 1.01, 0.99, 1.0)
SLOW = (2.0, 2.01, 1.99, 2.02, 2.0, 2.01, 1.99, 2.0)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_nothing_is_decided_before_the_first_look(processes: int) -> None:
    assert below(a_series(*QUICK[:processes]), a_series(*SLOW[:processes])) == ("", "too few", 0)


def test_the_first_look_that_decides_stands_whatever_follows() -> None:
    turned = (*QUICK[:4], *(value * 4 for value in QUICK[4:]))
    assert below(a_series(*turned), a_series(*SLOW)) == ("below", "", 4)


def test_between_looks_the_last_one_stands() -> None:
    """At seven the look at six counts, and at five that at four."""
    pair = (a_series(*QUICK[:7]), a_series(*(1.01 * value for value in QUICK[:7])))
    (_, why, look) = below(*pair)
    assert (why, look) == ("within noise", 6)


def test_a_comparison_that_shares_the_error_has_to_be_surer() -> None:
    noisy = (1.0, 1.3, 0.8, 1.2)
    pair = (a_series(*noisy), a_series(2.6, 2.5, 2.0, 2.9))
    assert below(*pair) == ("below", "", 4)
    assert below(*pair, Limits(below=0.01)) == ("", "within noise", 4)
    assert below(*pair, Limits(above=0.01)) == ("below", "", 4)


def test_one_disturbed_process_voids_its_quadruple_for_all_partners() -> None:
    disturbed, other = a_series(*QUICK, busy=(2,)), a_series(*SLOW)
    assert shared((disturbed, other)).valid == [0, 2, 3]
    assert shared((disturbed, other)).voided == [1]
    assert shared((other,)).valid == [0, 1, 2, 3]
    assert below(disturbed, other) == ("below", "", 4)
    assert below(a_series(*QUICK[:4], busy=(2,)), a_series(*SLOW[:4])) == ("", "busy machine", 0)


def test_a_quadruple_whose_processes_ran_on_two_nodes_is_void() -> None:
    """One of them was lost and run again elsewhere."""

    def on(*nodes: str) -> Series:
        return Series([
            Process(str(repeat), repeat, 1.0, node=node) for repeat, node in enumerate(nodes)
        ])  # fmt: skip

    one, other = on("a", "a", "b", "b"), on("a", "a", "b", "c")
    assert shared((one, on("a", "a", "b", "b"))).valid == [0, 1]
    assert shared((one, other)) == ([0], [1])
    assert shared((one, on("b", "b", "b", "b"))) == ([1], [0])


def test_after_six_disturbed_quadruples_it_stays_open() -> None:
    quick, slow = QUICK * 3, SLOW * 3
    for voided in (MOST_VOIDED, MOST_VOIDED + 1):
        busy = tuple(2 * number for number in range(voided))
        found = below(a_series(*quick, busy=busy), a_series(*slow))
        assert found == (("below", "", 4) if voided == MOST_VOIDED else ("", "busy machine", 4))


def test_a_verdict_that_all_data_speak_against_is_none() -> None:
    """The disturbed quadruples were so slow that with them the other side is ahead."""
    values = (*QUICK[:4], *(value * 1000 for value in QUICK[4:]))
    found = below(a_series(*values, busy=(4, 7)), a_series(*SLOW))
    assert found == ("", "contradicted", 4)


def test_a_process_without_a_value_leaves_its_quadruple_out() -> None:
    values = (1.0, None, *QUICK[2:])
    series = a_series(*values)
    assert list(series.quadruples) == [1, 2, 3]
    assert series.spoilt == {0}
    assert series.repeats == 8


@given(st.integers(0, 10**6), st.sampled_from(sorted(NOISES)), st.sampled_from([1.0, 1.03, 1.2]))
def test_what_was_decided_early_is_decided_so_with_all_data(
    seed: int, noise: str, slower: float
) -> None:
    """To stop at a decision is to look at it with everything that would have followed."""
    pair = a_pair(random.Random(seed), NOISES[noise], slower)
    whole = decided(pair)
    for quadruples in range(1, QUADRUPLES + 1):
        first = type(pair)(*(Series(one.processes[: 2 * quadruples]) for one in pair))
        found = decided(first)
        if found.side:
            assert (found.side, found.look) == (whole.side, whole.look)
            return
    assert not whole.side


@pytest.mark.parametrize("name", sorted(NOISES))
def test_where_nothing_differs_few_runs_say_so(name: str) -> None:
    """Of 400: up to 5 % are allowed, and three standard errors more."""
    assert share_decided(400, NOISES[name]) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


def test_a_planted_slowdown_is_found() -> None:
    assert share_decided(300, NOISES["log-normal, 2 %"], 1.05) >= 0.9


def test_a_claim_on_many_rows_at_the_bound_is_seldom_called_false() -> None:
    found = share_of_claims(100, "every(t, a <= b)", [1.0] * 24)
    assert found.get("does not hold", 0) <= 0.09
    assert not found.get("holds")


def test_one_row_that_fails_is_found_among_those_that_hold() -> None:
    found = share_of_claims(100, "every(t, a <= b)", [1.06, 0.8, 0.8, 0.8])
    assert found["does not hold"] >= 0.9
