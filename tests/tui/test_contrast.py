"""In every theme with colours of its own, words can be told from what they stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.segment import Segment
from textual.color import Color
from textual.pilot import Pilot

from tests.tui.conftest import drive, settle
from tui.app import Repliquant
from tui.themes import THEMES

LEAST = 2.5
"""WCAG 2's contrast ratio, (L1 + 0.05) / (L2 + 0.05), of words that stand back."""
PAGES = ["1", "2", "3", "4", "5", "6", "d"]


@pytest.mark.first(1)
@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_words_can_be_told_from_their_ground(
    recorded: object, replaying: Repliquant, theme: str
) -> None:
    faint: set[str] = set()

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.theme = theme
        for key in PAGES:
            await pilot.press(key)
            await settle(pilot, app)
            faint.update(f"{key}: {segment.text.strip()}" for segment in _faint(app))

    drive(replaying, steps, size=(132, 40))
    assert not faint


def _faint(app: Repliquant) -> Iterator[Segment]:
    for strip in app.screen._compositor.render_strips():
        for segment in strip:
            style = segment.style
            if style is None or style.color is None or style.bgcolor is None:
                continue
            if not any(sign.isalnum() for sign in segment.text):
                continue  # rules, bars and blanks
            words, ground = map(Color.from_rich_color, (style.color, style.bgcolor))
            brighter, darker = sorted((_luminance(words), _luminance(ground)), reverse=True)
            if (brighter + 0.05) / (darker + 0.05) < LEAST:
                yield segment


def _luminance(color: Color) -> float:
    """Relative luminance in sRGB, 0 … 1. Source: WCAG 2.2."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in color.normalized
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
