"""Delta debugging against brute force: what it keeps is accepted, and 1-minimal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from runners.ddmin import ddmin

SIZES = st.integers(0, 7)


def test_it_finds_what_has_to_be_together() -> None:
    needed = {2, 5}
    assert ddmin(range(8), lambda kept: needed <= set(kept)) == [2, 5]


def test_where_nothing_is_needed_nothing_is_kept() -> None:
    assert ddmin(["a", "b"], lambda kept: True) == []


def test_where_all_are_needed_all_are_kept() -> None:
    assert ddmin("abcde", lambda kept: len(kept) == 5) == list("abcde")


def test_each_of_a_pair_may_do() -> None:
    assert ddmin("ab", lambda kept: len(kept) >= 1) == ["a"]


@given(SIZES.flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(n - 1, 0))))))
def test_of_a_monotone_test_with_one_cause_it_keeps_just_that(case: tuple[int, set[int]]) -> None:
    count, needed = case
    needed = {one for one in needed if one < count}
    assert ddmin(range(count), lambda kept: needed <= set(kept)) == sorted(needed)


@given(st.integers(1, 6), st.data())
def test_of_any_monotone_test_it_keeps_a_1_minimal_set(count: int, data: Any) -> None:
    causes = data.draw(st.lists(st.sets(st.integers(0, count - 1)), min_size=1, max_size=4))

    def accepts(kept: list[int]) -> bool:
        return any(cause <= set(kept) for cause in causes)

    found = ddmin(range(count), accepts)
    smallest = [s for s in _subsets(count) if accepts(list(s)) and _minimal(list(s), accepts)]
    assert tuple(found) in smallest


@given(st.integers(1, 6), st.data())
def test_of_any_test_at_all_too(count: int, data: Any) -> None:
    accepted = data.draw(st.sets(st.sampled_from(_subsets(count)))) | {tuple(range(count))}

    def accepts(kept: list[int]) -> bool:
        return tuple(kept) in accepted

    found = ddmin(range(count), accepts)
    assert accepts(found) and _minimal(found, accepts)


@given(st.integers(1, 6), st.data())
def test_the_same_questions_are_asked_in_the_same_order(count: int, data: Any) -> None:
    accepted = data.draw(st.sets(st.sampled_from(_subsets(count)))) | {tuple(range(count))}
    asked: list[list[tuple[int, ...]]] = [[], []]
    for answers in asked:

        def accepts(kept: list[int], answers: list[tuple[int, ...]] = answers) -> bool:
            answers.append(tuple(kept))
            return tuple(kept) in accepted

        ddmin(range(count), accepts)
    assert asked[0] == asked[1]


def _subsets(count: int) -> list[tuple[int, ...]]:
    return [s for size in range(count + 1) for s in combinations(range(count), size)]


def _minimal(kept: list[int], accepts: Callable[[list[int]], bool]) -> bool:
    """By brute force: no item can be left out alone."""
    rests = ([other for other in kept if other != one] for one in kept)
    return not any(accepts(rest) for rest in rests)
