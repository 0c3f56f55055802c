"""How faithful a model is to its float parent: the arithmetic, against numpy written anew."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from runners.fidelity import (
    DROP,
    INT8_PROBABILITIES,
    ISOLATED,
    LOGITS,
    PROBABILITIES,
    Agreement,
    Layer,
    Noise,
    Worst,
    agreement,
    divergence,
    kl,
    log_softmax,
    mean_interval,
    sqnr,
    top1,
    worst,
)

FINITE = st.floats(-50, 50, width=32)
Pair = tuple[NDArray[Any], NDArray[Any]]


def pairs(values: st.SearchStrategy[float] = FINITE) -> st.SearchStrategy[Pair]:
    shapes = st.tuples(st.integers(1, 6), st.integers(2, 5))
    return shapes.flatmap(
        lambda shape: st.tuples(
            arrays(np.float32, shape, elements=values), arrays(np.float32, shape, elements=values)
        )
    )


def by_hand(x: NDArray[Any], y: NDArray[Any]) -> list[float]:
    """KL of rows of logits, element by element, with the standard library alone."""
    found = []
    for one, other in zip(x.tolist(), y.tolist(), strict=True):
        p, q = ([math.exp(v - max(row)) for v in row] for row in (one, other))
        p, q = [v / math.fsum(p) for v in p], [v / math.fsum(q) for v in q]
        found.append(math.fsum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True)))
    return found


@given(pairs())
def test_divergence_is_what_another_computation_gives(pair: Pair) -> None:
    assert kl(pair[0], LOGITS, pair[1], LOGITS) == pytest.approx(by_hand(*pair), abs=1e-6)


@given(pairs())
def test_a_divergence_is_never_negative_and_zero_from_itself(pair: Pair) -> None:
    x, y = pair
    assert (kl(x, LOGITS, y, LOGITS) >= 0).all()
    assert kl(x, LOGITS, x, LOGITS) == pytest.approx(0, abs=1e-12)


@given(pairs(), st.floats(-100, 100))
def test_a_constant_added_to_logits_changes_no_divergence(pair: Pair, constant: float) -> None:
    x, y = (one.astype(np.float64) for one in pair)
    moved = kl(x + constant, LOGITS, y - constant, LOGITS)
    assert moved == pytest.approx(kl(x, LOGITS, y, LOGITS), abs=1e-9)


@given(pairs())
def test_probabilities_diverge_as_the_logits_that_they_came_from(pair: Pair) -> None:
    x, y = (one.astype(np.float64) for one in pair)
    p, q = np.exp(log_softmax(x)), np.exp(log_softmax(y))
    wanted = pytest.approx(kl(x, LOGITS, y, LOGITS), abs=1e-9)
    assert kl(p, PROBABILITIES, q, PROBABILITIES) == wanted
    assert kl(x, LOGITS, q, PROBABILITIES) == wanted


def test_a_known_divergence() -> None:
    p, q = np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])
    wanted = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert kl(np.log(p), LOGITS, np.log(q), LOGITS)[0] == pytest.approx(wanted, rel=1e-12)


def test_nothing_is_added_to_what_is_ruled_out() -> None:
    p, q = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), np.array([[1.0, 0, 0], [0.5, 0.5, 0.0]])
    found = kl(p, PROBABILITIES, q, PROBABILITIES)
    assert found[0] == math.inf and found[1] == pytest.approx(math.log(2))


def test_steps_of_256_are_clipped_at_half_a_step_on_both_sides() -> None:
    p, q = np.array([[0.999, 0.001, 0.0]]), np.array([[255 / 256, 0.0, 1 / 256]])
    clipped = [np.maximum(v, 1 / 512) for v in (p, q)]
    a, b = (v / v.sum() for v in clipped)
    wanted = float(np.sum(a * np.log(a / b)))
    assert kl(p, PROBABILITIES, q, INT8_PROBABILITIES)[0] == pytest.approx(wanted, rel=1e-12)
    assert kl(np.log(p + 1e-300), LOGITS, q, INT8_PROBABILITIES)[0] == pytest.approx(wanted)
    assert kl(p, PROBABILITIES, q, PROBABILITIES)[0] == math.inf


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_has_no_divergence_and_agrees_with_nothing(wrong: float) -> None:
    x = np.array([[1.0, 2.0], [1.0, 2.0]])
    y = np.array([[1.0, 2.0], [wrong, 2.0]])
    found = kl(x, LOGITS, y, LOGITS)
    assert found[0] == 0 and math.isnan(found[1])
    assert list(top1(y)) == [1, -1]
    assert agreement(top1(y), top1(y), np.array([1, 1])).agreeing == 1


def test_of_equal_outputs_the_first_class_counts() -> None:
    assert list(top1(np.array([[3.0, 3.0, 1.0], [0.0, 2.0, 2.0]]))) == [0, 1]


def test_agreement_counts_what_only_one_of_both_got_right() -> None:
    labels = np.array([0, 1, 2, 3, 4])
    parent, child = np.array([0, 1, 2, 0, 0]), np.array([0, 0, 2, 3, 0])
    assert agreement(parent, child, labels) == Agreement(images=5, agreeing=3, n10=1, n01=1)


@given(pairs())
def test_agreement_is_the_same_from_both_sides(pair: Pair) -> None:
    one, other = (top1(values) for values in pair)
    labels = np.zeros(len(one), np.int64)
    found, back = agreement(one, other, labels), agreement(other, one, labels)
    assert found.agreeing == back.agreeing == int(np.sum(one == other))
    assert (found.n10, found.n01) == (back.n01, back.n10)
    assert found.n10 + found.n01 <= found.images - found.agreeing


@given(pairs())
def test_noise_is_what_another_computation_gives(pair: Pair) -> None:
    x, y = pair
    found = sqnr(x, y)
    signal = math.fsum(float(v) ** 2 for v in x.ravel())
    noise = math.fsum((float(a) - float(b)) ** 2 for a, b in zip(x.ravel(), y.ravel(), strict=True))
    assert found.exact == bool((x == y).all())
    if signal == 0 or noise == 0:
        assert found.db is None and found.reason
    else:
        assert found.db == pytest.approx(10 * math.log10(signal / noise), abs=1e-6)


@given(pairs(st.floats(-(2.0**127), 2.0**127, width=32)), st.integers(-60, 60))
def test_a_scale_on_both_sides_changes_no_ratio(pair: Pair, power: int) -> None:
    x, y = (one.astype(np.float64) for one in pair)
    found, scaled = sqnr(x, y), sqnr(x * 2.0**power, y * 2.0**power)
    assert (found.db is None) == (scaled.db is None)
    if found.db is not None:
        assert scaled.db == pytest.approx(found.db, abs=1e-6)


def test_a_known_ratio() -> None:
    found = sqnr(np.array([10.0, 0.0]), np.array([9.0, 0.0]))
    assert (found.db, found.signal, found.noise) == (pytest.approx(20.0), 100.0, 1.0)


def test_where_there_is_no_ratio_the_reason_is_told() -> None:
    zeros, ones = np.zeros(3), np.ones(3)
    silent = sqnr(zeros, ones)
    assert (silent.db, silent.noise, silent.exact) == (None, 3.0, False)
    assert silent.reason == "no signal; the noise's sum of squares is 3"
    same = sqnr(ones, ones)
    assert (same.db, same.exact, same.rank()) == (None, True, math.inf)
    broken = sqnr(ones, np.array([1.0, math.nan, 1.0]))
    assert (broken.db, broken.noise, broken.reason) == (None, None, "not every value is finite")
    with pytest.raises(ValueError, match=r"\(3,\) and \(4,\)"):
        sqnr(ones, np.ones(4))


def test_the_tiniest_difference_is_still_one() -> None:
    found = sqnr(np.array([1.0]), np.array([1.0]) + 2.0**-52)
    assert found.db == pytest.approx(20 * math.log10(2.0**52)) and not found.exact
    small = sqnr(np.array([1e-200]), np.array([2e-200]))
    assert small.db == pytest.approx(0.0, abs=1e-9)


def layer(name: str, db: float | None, alone: float | None = None, exact: bool = False) -> Layer:
    isolated = None if alone is None else Noise(alone, 1.0, 1.0)
    return Layer(name, Noise(db, 1.0, 1.0, exact), isolated)


def test_the_worst_layer_is_that_of_the_largest_drop() -> None:
    layers = [layer("a", 40), layer("b", 38), layer("c", 20), layer("d", 18)]
    assert worst(layers) == Worst("c", DROP)
    # What is equal is best, so that the first noisy layer behind it falls from there.
    equal = layer("first", None, exact=True)
    assert worst([equal, *layers]) == Worst("a", DROP)
    assert worst([layer("silent", None), layer("a", 40), layer("b", 39)]) == Worst("b", DROP)


def test_the_worst_layer_by_itself_goes_first() -> None:
    assert worst([layer("a", 40, 41), layer("b", 10, 35), layer("c", 9)]) == Worst("b", ISOLATED)


def test_without_noise_no_layer_is_the_worst() -> None:
    assert worst([]) is None
    assert worst([layer("a", None, exact=True), layer("b", None)]) is None
    assert worst([layer("only", 12)]) == Worst("only", "cumulative SQNR")
    assert worst([layer("a", 12), layer("b", None, exact=True)]) is not None


def test_the_mean_divergence_has_an_interval_over_images() -> None:
    values = np.random.default_rng(1).exponential(0.1, 400)
    found = divergence(values, floored=False)
    assert found.mean == pytest.approx(values.mean()) and found.median == np.median(values)
    assert found.p90 == pytest.approx(np.quantile(values, 0.9))
    error = values.std() / math.sqrt(len(values))
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=0.3 * error)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=0.3 * error)
    assert divergence(values, floored=False) == found
    assert mean_interval(np.full(5, 0.25)) == (0.25, 0.25)


def test_the_interval_covers_as_often_as_it_says() -> None:
    generator = np.random.default_rng(2)
    held = 0
    for _ in range(200):
        low, high = mean_interval(generator.exponential(1.0, 360))
        held += low <= 1.0 <= high
    assert held >= 180
