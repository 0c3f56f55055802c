"""Durations, sizes, and texts that can't take over a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.phrases import duration, printable, significant, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0.0 s"),
        (5.94, "5.9 s"),
        (9.96, "10 s"),
        (41.4, "41 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (239, "4 min"),
        (5369, "89 min"),
        (7800, "2 h 10 min"),
        (172_000, "47 h 47 min"),
        (172_800, "2 days"),
        (1_000_000, "12 days"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (512, "512 bytes"),
        (1024, "1.0 KiB"),
        (44_676_648, "42.6 MiB"),
        (1_300_000_000, "1.2 GiB"),
        (5_000_000_000_000, "4656.6 GiB"),
    ],
)
def test_sizes(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain · – é 猫", "plain · – é 猫"),
        ("a\x1b[31mb\x07\r", "a�[31mb��"),
        ("one\ntwo", "one�two"),
        ("right\u202eto left\u2066", "right�to left�"),
        ("zero\u200bwidth\ufeff", "zero�width�"),
        ("c1\x9b31m", "c1�31m"),
    ],
)
def test_what_could_take_over_a_terminal_is_replaced(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_line_ends_are_kept_where_lines_are_meant() -> None:
    assert printable("one\ntwo\r", lines=True) == "one\ntwo�"


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_one_line_without_controls(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert all(ord(character) >= 32 and character != "\x7f" for character in shown)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (0.00526, "0.0053"), (0.18, "0.18"), (0.996, "1.00"), (4.2499, "4.2"),
        (39.5, "40"), (395.688, "400"), (1_234_567, "1,200,000"),
    ],
)  # fmt: skip
def test_an_estimate_has_two_digits(number: float, text: str) -> None:
    assert significant(number) == text


@given(st.floats(1e-9, 1e9))
def test_two_digits_are_within_six_percent(number: float) -> None:
    assert abs(float(significant(number).replace(",", "")) / number - 1) <= 0.051
