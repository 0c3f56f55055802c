"""Texts that would harm a terminal or a layout, and how a screen is checked for them."""

from __future__ import annotations

from rich.cells import cell_len
from textual.app import App

HOSTILE = [
    "\x1b[2J\x1b[H\x1b]0;owned\x07\x1b[?1049l",
    "[@click=app.exit]leave[/] [red]x[/red] [/]",
    "\u202eevil\u2066 right to left \u05d0\u05d1\u05d2",
    "日本語の長い行" * 50,
    "e" + "\u0301\u0300\u0302" * 300,
    "\ud800 half a pair",
    "x" * 2**20,
    "👩‍👩‍👧‍👦 \u2602\ufe0f \u200b\u200d",
    "\r\n\t\x00\x85\u2028",
]


def lines_of(app: App[None]) -> list[str]:
    return [
        "".join(segment.text for segment in strip)
        for strip in app.screen._compositor.render_strips()
    ]


def check(lines: list[str], width: int) -> None:
    for line in lines:
        assert cell_len(line) == width, line
        assert "\x1b" not in line
