"""What a run has come to, claim by claim: the screen with which ``reproduce`` ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.screens.base import Page

if TYPE_CHECKING:
    from services.verdict_screen import Shown


class VerdictsScreen(Page):
    """On top of the run; escape goes back."""

    mode = "run"
    about = "Verdicts: what the run has come to, claim by claim"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "app.go('claims')", "Claims", tooltip="every claim with its evidence"),
        Binding("w", "app.report", "Report", tooltip="write a report of the shown run"),
    ]

    def __init__(self, shown: Shown) -> None:
        super().__init__()
        self._shown = shown

    def body(self) -> ComposeResult:
        with VerticalScroll(id="page"):
            yield Static(id="verdicts")

    def on_mount(self) -> None:
        self.query_one("#page").focus()

    def renew(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        if self.settled:
            self._draw()

    def _draw(self) -> None:
        from services.verdict_screen import LINES, verdict_screen

        # What is above and below it takes two lines, where a shell's prompt takes one.
        height = max(LINES, self.size.height) - 1
        lines = verdict_screen(self._shown, max(20, self.size.width - 1), height)
        text = Text("\n", no_wrap=True).join(lines)
        self.query_one("#verdicts", Static).update(text)
