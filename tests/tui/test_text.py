"""Texts from anywhere are fit for a screen: bounded, one line, as wide as they are to be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.text import clock, fitted, safe


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    shown = safe(text)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") for c in shown)


@given(st.text(), st.integers(0, 60), st.booleans())
def test_a_field_has_its_width_whatever_is_in_it(text: str, width: int, right: bool) -> None:
    assert cell_len(fitted(safe(text), width, right)) == width


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "�[31mred�[0m"),
        ("\x1b]0;title\x07", "�]0;title�"),
        ("[bold]markup[/bold] [@click=app.bell]x[/]", "[bold]markup[/bold] [@click=app.bell]x[/]"),
        ("abc\u202edef", "abc�def"),
        ("a\tb", "a    b"),
        ("a\nb", "a�b"),
        ("e" + "\u0301" * 50, "e\u0301\u0301"),
        ("\u2602\ufe0f", "\u2602"),
        ("日本", "日本"),
    ],
)
def test_known_offenders(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_a_line_of_a_megabyte_is_cut_before_it_is_looked_at() -> None:
    assert len(safe("x" * 2**20, 80)) == 80


@pytest.mark.parametrize(
    ("text", "width", "right", "shown"),
    [
        ("abc", 5, False, "abc  "),
        ("abc", 5, True, "  abc"),
        ("abcdef", 4, False, "abc…"),
        ("日本語", 4, False, "日 …"),
        ("abc", 0, False, ""),
    ],
)
def test_fitting(text: str, width: int, right: bool, shown: str) -> None:
    assert fitted(text, width, right) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (7.9, "0:07"), (750, "12:30"), (3723, "1:02:03")]
)
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
