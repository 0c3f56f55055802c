"""Intervals of a table's line: over processes, and of right answers over the test images."""

from __future__ import annotations

import pytest

from comparisons.intervals import share_interval
from comparisons.line_intervals import interval_of
from comparisons.measured import Measured
from comparisons.proportions import paired_interval
from papers.published import Column
from tests.comparisons.answers import right_answers

ACCURACY = Column(name="accuracy", label="accuracy", unit="%", metric="accuracy")
DROP = Column(name="drop", label="drop", unit="points", derive={"drop": ["before", "after"]})
RATIO = Column(name="ratio", label="ratio", unit="×", derive={"ratio": ["before", "after"]})
LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")

UNITS = {"accuracy": "%", "before": "%", "after": "%", "latency": "ms"}


def measured(*values: float, images: int = 0) -> Measured:
    return Measured(values[0], len(values), 1, "ok", [], [], values=values, images=images)


@pytest.mark.parametrize("repeats", [1, 2, 5, 8, 40])
def test_repeats_that_answer_alike_leave_the_interval_over_images(repeats: int) -> None:
    low, high = interval_of(ACCURACY, {"accuracy": measured(*[90.0] * repeats, images=360)}, UNITS)
    # Wilson's of 324 of 360, by hand: 0.895776 less and more 0.031114.
    assert (low, high) == pytest.approx((86.466, 92.689), abs=1e-3)
    assert (low, high) == tuple(100 * end for end in share_interval(324, 360))


def test_processes_that_scatter_more_than_the_images_allow_widen_it() -> None:
    low, high = interval_of(
        ACCURACY, {"accuracy": measured(70.0, 80.0, 90.0, images=10_000)}, UNITS
    )
    assert low is not None
    assert low < 70.0
    assert high is not None
    assert high > 90.0


def test_what_is_derived_from_accuracies_has_their_images() -> None:
    parts = {"before": measured(90.0, 90.0, images=360), "after": measured(85.0, 85.0, images=360)}
    low, high = interval_of(DROP, parts, UNITS)
    assert low is not None
    assert high is not None
    assert low < 0 < 5 < high  # 5 points of 360 images may be none
    least, most = interval_of(RATIO, parts, UNITS)
    assert least is not None
    assert most is not None
    assert least < 1 < 90 / 85 < most


def test_times_have_the_interval_over_processes() -> None:
    assert interval_of(LATENCY, {"latency": measured(1.0)}, UNITS) == (None, None)
    low, high = interval_of(LATENCY, {"latency": measured(1.0, 1.1)}, UNITS)
    assert low is not None
    assert high is not None
    assert low < 1.0 < 1.1 < high


def answered(right: list[bool], images: str = "same") -> Measured:
    """An accuracy with its answers, image by image."""
    value = 100 * sum(right) / len(right)
    answers = right_answers(right, images)
    return measured(value, images=len(right))._replace(answers=answers)


def test_a_drop_on_the_same_images_goes_by_those_that_one_alone_recognises() -> None:
    before, after = answered([True] * 90 + [False] * 10), answered([True] * 88 + [False] * 12)
    low, high = interval_of(DROP, {"before": before, "after": after}, UNITS)
    assert (low, high) == tuple(100 * end for end in paired_interval(0, 2, 100))
    assert low is not None and high is not None
    assert low < 2 < high and high - low < 10  # as if of different images: some 17 points
    other = answered([True] * 88 + [False] * 12, images="others")
    wide = interval_of(DROP, {"before": before, "after": other}, UNITS)
    assert wide[0] is not None and wide[1] is not None and wide[1] - wide[0] > 12


def test_a_drop_of_the_same_answers_is_about_none() -> None:
    one = answered([True] * 350 + [False] * 10)
    low, high = interval_of(DROP, {"before": one, "after": one}, UNITS)
    assert low is not None and high is not None
    assert -2 < low <= 0 <= high < 2
