"""The first line: the screens by number, and what runs."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.reactive import reactive
from textual.widget import Widget

from tui.text import safe

SCREENS = ("home", "plan", "run", "results", "explain", "claims")
_NAMES = ("Home", "Plan", "Run", "Results", "Explain", "Claims")


class Head(Widget):
    """Shows which screen this is; a click goes to another."""

    status: reactive[str] = reactive("")

    def __init__(self, current: str) -> None:
        super().__init__()
        self._current = current
        self._spans: list[tuple[int, int, str]] = []

    def render(self) -> Text:
        text = Text("", no_wrap=True, overflow="ellipsis")
        self._spans = []
        shown = 0, 0
        for number, (mode, name) in enumerate(zip(SCREENS, _NAMES, strict=True), 1):
            begin = text.cell_len
            text.append(f" {number} {name}")
            self._spans.append((begin, text.cell_len, mode))
            if mode == self._current:
                shown = begin, text.cell_len + 1
        text.append(" ")
        text.stylize("bold reverse", *shown)
        status = safe(self.status, max(0, self.size.width - text.cell_len - 1))
        gap = self.size.width - text.cell_len - len(status) - 1
        if status and gap >= 0:
            text.append(" " * gap + status)
        return text

    async def on_click(self, event: events.Click) -> None:
        for begin, end, mode in self._spans:
            if begin <= event.x < end:
                await self.run_action(f"app.go('{mode}')")
