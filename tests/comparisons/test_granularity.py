"""From which sizes of a test set an accuracy can arise: honest tables, planted errors, chance."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.audit.granularity import arises, audit_granularity, explaining_sizes
from papers.audit import Granularity
from papers.rounding import printed_as
from tests.comparisons.printed_tables import (
    PRINTINGS,
    Printing,
    accuracies,
    impossible,
    table,
)

SIZES = [100, 360, 500, 512, 1000, 1984, 2000, 4999, 5000, 8000, 10_000]


@pytest.mark.parametrize(
    ("text", "size", "cut_off", "possible"),
    [
        ("85.383", 1984, True, True),  # 1,694 of 1,984 is 85.38306 %
        ("85.383", 5000, True, False),
        ("85.383", 5000, False, False),
        ("96.484", 512, True, True),  # 494 of 512 is 96.484375 %
        ("96.485", 512, False, False),
        ("33.3", 3, True, True),
        ("66.7", 3, False, True),
        ("66.7", 3, True, False),
        ("100", 7, True, True),
        ("0", 7, False, True),
    ],
)
def test_which_sizes_an_accuracy_can_arise_from(
    text: str, size: int, cut_off: bool, possible: bool
) -> None:
    assert arises(text, size, cut_off) is possible


@given(st.integers(1, 5000), st.data(), st.integers(0, 3), st.booleans())
def test_every_true_count_arises(size: int, data: st.DataObject, places: int, cut: bool) -> None:
    count = data.draw(st.integers(0, size))
    exact = Decimal(100 * count) / Decimal(size)
    text = str(printed_as(exact, places, "cut off" if cut else "rounded"))
    assert arises(text, size, cut)


@given(st.integers(1, 60), st.integers(0, 10_000))
def test_what_arises_is_what_counting_finds(size: int, value: int) -> None:
    text = f"{value / 100:.2f}"
    exact = [Decimal(100 * k) / size for k in range(size + 1)]
    counted = {printed_as(percent, 2, "cut off") for percent in exact}
    lower = {percent - Decimal("0.01") for percent in exact if percent == round(percent, 2)}
    assert arises(text, size, True) == (Decimal(text) in counted | lower)


def test_consistent_accuracies_raise_no_alarm() -> None:
    source = random.Random(2)
    check = Granularity(
        id="g", table="t", columns=["a", "b"], stated=1000, largest=2000, place="here"
    )
    for _ in range(20):
        rows = [{name: f"{source.randrange(1001) / 10:.3f}" for name in "ab"} for _ in range(6)]
        assert audit_granularity(check, table(rows)) == ([], 12)


def check(size: int) -> Granularity:
    return Granularity(
        id="g", table="t", columns=["a", "b"], stated=size, largest=size, place="here"
    )


@given(st.sampled_from(PRINTINGS), st.integers(1, 100_000), st.integers(0, 4), st.data())
def test_whatever_a_program_prints_arises(
    how: Printing, size: int, places: int, data: st.DataObject
) -> None:
    count = data.draw(st.integers(0, size))
    percent = how.type(count) / how.type(size) * how.type(100.0)
    assert arises(how.text(percent, places), size, "cut off" in how.name)


@pytest.mark.parametrize("how", PRINTINGS, ids=lambda how: how.name)
@pytest.mark.parametrize("size", SIZES)
def test_an_honest_table_has_no_finding(how: Printing, size: int) -> None:
    source = random.Random(size)
    for places in (1, 2, 3):
        for _ in range(5):
            assert audit_granularity(check(size), accuracies(source, how, size, places))[0] == []


def test_what_is_cut_off_in_floating_point_may_lie_a_digit_lower() -> None:
    assert arises("57.299", 1000, True)  # 573 of 1,000, of which 57.299999 may be left
    assert not arises("57.298", 1000, True)
    assert not arises("57.299", 1000, False)


@pytest.mark.parametrize("how", PRINTINGS, ids=lambda how: how.name)
@pytest.mark.parametrize("size", [100, 500, 1000, 1984])
def test_every_planted_error_is_found(how: Printing, size: int) -> None:
    """One number more than a digit away from each that the size can give."""
    source = random.Random(size)
    for _ in range(20):
        honest = accuracies(source, how, size, 3)
        wrong = impossible(source, size)
        rows = [{name: row.numbers[name].text for name in "ab"} for row in honest.rows]
        rows[source.randrange(len(rows))]["a"] = wrong
        (finding,) = audit_granularity(check(size), table(rows))[0]
        assert [where.endswith(f"a: {wrong} %") for where in finding.where] == [True]


def test_the_size_that_was_used_is_named() -> None:
    source = random.Random(4)
    texts = [f"{100 * source.randrange(361) / 360:.3f}" for _ in range(12)]
    sizes = explaining_sizes(texts, 5000)
    assert sizes[-1][:3] == (360, "rounded", 12)
    assert all(360 % one.size == 0 for one in sizes)  # a part of it explains a part


def test_numbers_that_have_nothing_to_do_with_a_test_set_name_a_size_by_chance_only() -> None:
    """At most 0.05 sizes are expected for each table, so that 100 have about five at most."""
    source = random.Random(8)
    named = 0
    for _ in range(100):
        texts = [f"{source.randrange(40_000, 100_000) / 1000:.3f}" for _ in range(8)]
        named += bool(explaining_sizes([*texts, *texts[:4]], 1000))
    assert named <= 10


def test_equal_numbers_are_one_observation() -> None:
    """Of 1,000 sizes and two ways to print some give one number, however often it is printed."""
    assert explaining_sizes(["85.383"] * 24, 1000) == []
