"""The bar of verdicts: to scale, and readable without colours."""

from __future__ import annotations

import pytest

from tui.views.verdict_bars import verdict_bar, verdict_words


@pytest.mark.parametrize(
    ("states", "width", "shown"),
    [
        ({"holds here": 2, "does not hold here": 1, "undecided": 1}, 8, "████▓▓▒▒"),
        ({"reproduced": 1, "not measured": 99}, 10, "█░░░░░░░░░"),
        ({"untestable": 1, "not measured": 1}, 4, "░░░░"),
        ({"not reproduced": 1}, 5, "▓▓▓▓▓"),
        ({"holds here": 1, "does not hold here": 1, "undecided": 1, "untestable": 1}, 3, "█▓▒░"),
        ({}, 5, ""),
    ],
)
def test_a_bar_is_to_scale(states: dict[str, int], width: int, shown: str) -> None:
    assert verdict_bar(states, width).text == shown


def test_the_words_count_each_kind_with_its_shade() -> None:
    states = {"reproduced": 1, "holds here": 2, "undecided": 4, "untestable": 1}
    assert verdict_words(states).text == "█ 3 hold · ▒ 4 undecided · ░ 1 not measured"
