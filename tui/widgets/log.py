"""The log of a cell: follows its end, can be searched, and shows whatever lines come."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import fitted, safe

KEPT_LINES = 5000
_KEPT_CHARACTERS = 4000


class Log(ScrollView, can_focus=True):
    """The last ``KEPT_LINES`` lines. A line is made fit for the screen only when it is seen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"log--found", "log--dim"}
    DEFAULT_CSS = """
    Log {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > .log--found { background: $warning; color: $background; text-style: bold; }
        & > .log--dim { color: $text-muted; }
        &:ansi > .log--found { text-style: reverse bold; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("end,G", "follow", "Follow", show=False),
        Binding("n", "find(1)", "Next match", show=False),
        Binding("N", "find(-1)", "Match before", show=False),
    ]

    def __init__(self, *, id: str | None = None, nothing: str = "nothing yet") -> None:
        super().__init__(id=id)
        self._nothing = nothing
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._widest = 0
        self.following = True
        self.search = ""

    @property
    def lines(self) -> list[str]:
        """All that are kept, the latest last."""
        return list(self._lines)

    def say_nothing(self, words: str) -> None:
        """What stands there as long as there is no line."""
        if words != self._nothing:
            self._nothing = words
            if not self._lines:
                self.refresh()

    @property
    def line_count(self) -> int:
        return len(self._lines)

    def add(self, lines: Iterable[str]) -> None:
        """More lines at the end; nothing happens on the screen while nothing comes."""
        before = len(self._lines)
        added = 0
        for line in lines:
            self._lines.append(line[:_KEPT_CHARACTERS])
            self._widest = max(self._widest, min(_KEPT_CHARACTERS, len(line)))
            added += 1
        if not added:
            return
        gone = before + added - len(self._lines)
        self.virtual_size = Size(self._widest, len(self._lines))
        if self.following:
            self.call_after_refresh(self._to_the_end)
        elif gone:
            self.scroll_to(y=max(0, self.scroll_offset.y - gone), animate=False)
        self.refresh()

    def _to_the_end(self) -> None:
        if self.following:
            self.scroll_end(animate=False, immediate=True, x_axis=False)

    def clear(self) -> None:
        """Forget all lines."""
        self._lines.clear()
        self._widest = 0
        self.virtual_size = Size(0, 0)
        self.following = True
        self.refresh()

    def find(self, text: str) -> int:
        """Mark ``text`` wherever it stands; go to its last place. How many lines have it."""
        self.search = text.casefold()
        matches = self._matches()
        if matches:
            self._go(matches[-1])
        self.refresh()
        return len(matches)

    def action_find(self, by: int) -> None:
        """Go to the next match below, or above."""
        matches = self._matches()
        here = self.scroll_offset.y
        ahead = [m for m in matches if m > here] if by > 0 else [m for m in matches if m < here]
        if ahead:
            self._go(ahead[0] if by > 0 else ahead[-1])

    def action_follow(self) -> None:
        self.following = True
        self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value < old_value:
            self.following = False
        elif new_value >= self.max_scroll_y - 0.5:
            self.following = True

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        base = self.rich_style
        if index >= len(self._lines):
            text = f" {safe(self._nothing)}" if not self._lines and y == 0 else ""
            # A share of black on light ground and of white on dark: only the whole knows which.
            dim = self.get_visual_style("log--dim").rich_style
            return Strip([Segment(fitted(text, width), dim)])
        left = self.scroll_offset.x
        line = Strip(self._painted(safe(self._lines[index], left + 2 * width), base))
        return line.extend_cell_length(left + width, base).crop(left, left + width)

    def _matches(self) -> list[int]:
        if not self.search:
            return []
        return [i for i, line in enumerate(self._lines) if self.search in line.casefold()]

    def _go(self, line: int) -> None:
        self.following = False
        self.scroll_to(y=line, animate=False)

    def _painted(self, text: str, base: Style) -> list[Segment]:
        """The text with what was searched for in a colour of its own."""
        if not self.search or self.search not in text.casefold():
            return [Segment(text, base)]
        found = base + self.get_component_rich_style("log--found", partial=True)
        segments: list[Segment] = []
        rest, folded = text, text.casefold()
        while (at := folded.find(self.search)) >= 0 and len(folded) == len(rest):
            end = at + len(self.search)
            segments += [Segment(rest[:at], base), Segment(rest[at:end], found)]
            rest, folded = rest[end:], folded[end:]
        return [*segments, Segment(rest, base)]
