"""Bars and curves, by what they look like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.charts import bar, columns, curve, histogram, resampled, sparkline, widened

NUMBERS = st.floats(-1e12, 1e12) | st.none()


def test_a_bar_is_exact_to_an_eighth() -> None:
    assert bar(0, 4) == "    "
    assert bar(0.5, 4) == "██  "
    assert bar(0.53125, 4) == "██▏ "
    assert bar(1, 4) == "████"
    assert bar(7, 4) == "████"


def test_a_sparkline_shows_the_latest_at_its_right_end() -> None:
    assert sparkline([0, 50, 100], 5, 0, 100) == "  ▁▅█"
    assert sparkline([0, 0, 0, 100], 2, 0, 100) == "▁█"


def test_a_missing_reading_is_a_dot_and_not_zero() -> None:
    assert sparkline([0, None, 100], 3, 0, 100) == "▁·█"
    assert sparkline([None, None], 4) == "····"


def test_columns_stand_on_their_base() -> None:
    assert columns([1, 2, 4], 3, 2, 0, 4) == ["  █", "▄██"]


def test_what_is_more_than_nothing_is_seen() -> None:
    assert columns([1, 1000], 2, 1) == ["▁█"]


def test_a_histogram_counts_every_sample() -> None:
    assert histogram([1, 1, 2, 5], 4) == ([2, 1, 0, 1], 1, 5)
    assert histogram([3, 3, 3], 2) == ([3, 0], 3, 3)


def test_few_values_are_stretched_and_many_keep_their_peaks() -> None:
    assert widened([1, 2], 4) == [1, 1, 2, 2]
    assert resampled([1, 9, 2, 3], 2) == [9, 3]
    assert resampled([None, None, 2, 3], 2) == [None, 3]


@given(st.lists(NUMBERS, max_size=300), st.integers(1, 80), st.integers(1, 9))
def test_any_readings_fill_their_place(values: list[float | None], width: int, height: int) -> None:
    assert len(sparkline(values, width)) == width
    assert len(sparkline(values, width, 0.0, 100.0)) == width
    lines = columns(values, width, height)
    assert [len(line) for line in lines] == [width] * height


def test_a_curve_goes_through_its_values_from_corner_to_corner() -> None:
    rising = curve([0.0, 1.0], 8, 2, 0.0, 1.0)
    assert (rising[0].strip("⠀")[-1] in "⠉⠁⠈⠊⠋", rising[1][0] in "⣀⡀⢀⣠⡠") == (True, True)
    assert curve([5.0, 5.0], 4, 1, 0.0, 5.0) == ["⠉⠉⠉⠉"]
    assert curve([0.0], 3, 2, 0.0, 5.0) == ["⠀⠀⠀", "⣀⣀⣀"]
