"""A table of virtual rows: only what is on the screen is made, however many rows there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import fitted, safe

_MEASURED_ROWS = 200
_GAP = 2
_LEAST = 8


class Column(NamedTuple):
    """``grow`` takes the width that the others leave; ``most`` bounds the width."""

    name: str
    right: bool = False
    grow: bool = False
    most: int = 40


class Field(NamedTuple):
    """A text with a sign of its own; ``tone`` names a colour, which is never the only sign."""

    text: str
    tone: str = ""


Row = Sequence[Field | str]


class Table(NamedTuple):
    """``row`` gives the row of an index; it is called for what is seen, and for a sample."""

    columns: Sequence[Column]
    size: int
    row: Callable[[int], Row]
    marked: Callable[[int], bool] = lambda index: False


EMPTY = Table((), 0, lambda index: ())


class Rows(ScrollView, can_focus=True):
    """Shows a ``Table``. Enter opens a row, space marks it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "rows--header", "rows--cursor", "rows--good", "rows--bad", "rows--warn", "rows--dim",
        "rows--strong", "rows--accent",
    }  # fmt: skip
    DEFAULT_CSS = """
    Rows {
        height: 1fr;
        scrollbar-size-vertical: 1;
        & > .rows--header { color: $foreground-muted; text-style: bold; }
        & > .rows--cursor { background: $block-cursor-blurred-background; }
        &:focus > .rows--cursor {
            background: $block-cursor-background; color: $block-cursor-foreground;
        }
        & > .rows--good { color: $success; }
        & > .rows--bad { color: $error; }
        & > .rows--warn { color: $warning; }
        & > .rows--accent { color: $primary; }
        & > .rows--dim { color: $foreground-muted; }
        & > .rows--strong { text-style: bold; }
        &:ansi > .rows--header { color: ansi_default; text-style: bold underline; }
        &:ansi > .rows--dim { color: ansi_default; text-style: dim; }
        &:ansi > .rows--cursor {
            background: ansi_default; color: ansi_default; text-style: underline;
        }
        &:ansi:focus > .rows--cursor {
            background: ansi_default; color: ansi_default; text-style: reverse;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end", "jump(-1)", "Last", show=False),
        Binding("enter", "open", "Open"),
        Binding("space", "mark", "Mark"),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class OfRow(Message):
        """Something about one row."""

        def __init__(self, rows: Rows, index: int) -> None:
            super().__init__()
            self.rows = rows
            self.index = index

        @property
        def control(self) -> Rows:
            return self.rows

    class Opened(OfRow):
        """A row was opened, by enter or by a click on the row under the cursor."""

    class Moved(OfRow):
        """The cursor stands on another row."""

    class Marked(OfRow):
        """A row is to be marked, or not any more."""

    def __init__(
        self, *, id: str | None = None, nothing: str = "Nothing here.", marks: bool = False
    ) -> None:
        super().__init__(id=id)
        self.marks = marks
        self._table = EMPTY
        self._widths: list[int] = []
        self._wanted: list[int] = []
        self.nothing = nothing

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing can be marked, space does nothing."""
        return self.marks if action == "mark" else True

    @property
    def count(self) -> int:
        return self._table.size

    def show(self, table: Table, cursor: int | None = None) -> None:
        """Show another table; the cursor stays where it is unless told otherwise."""
        self._table = table
        self._wanted = _wanted(table)
        self._arrange()
        self.cursor = self._bounded(self.cursor if cursor is None else cursor)
        self.refresh()

    def refresh_rows(self) -> None:
        """What the rows say has changed, not how many they are."""
        self.refresh()

    def watch_cursor(self, old: int, new: int) -> None:
        if old != new:
            self._keep_in_sight()
            self.refresh()
            if self.count:
                self.post_message(self.Moved(self, new))

    def action_move(self, by: int) -> None:
        self.cursor = self._bounded(self.cursor + by)

    def action_page(self, by: int) -> None:
        self.cursor = self._bounded(self.cursor + by * max(1, self._visible - 1))

    def action_jump(self, to: int) -> None:
        self.cursor = self._bounded(to if to >= 0 else self.count - 1)

    def action_open(self) -> None:
        if self.count:
            self.post_message(self.Opened(self, self.cursor))

    def action_mark(self) -> None:
        if self.count:
            self.post_message(self.Marked(self, self.cursor))
            self.action_move(1)

    def on_click(self, event: events.Click) -> None:
        index = event.y - 1 + self.scroll_offset.y
        if event.y < 1 or not 0 <= index < self.count:
            return
        if index == self.cursor or event.chain > 1:
            self.action_open()
        self.cursor = index

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()
        self._keep_in_sight()

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._table.columns or not self.count:
            text = self.nothing if y == 1 else ""
            return self._strip([Segment(fitted(f" {text}", width), self._style("dim"))])
        if y == 0:
            return self._header()
        index = y - 1 + self.scroll_offset.y
        if index >= self.count:
            return Strip.blank(width, self.rich_style)
        return self._row(index)

    @property
    def _visible(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    def _bounded(self, index: int) -> int:
        return max(0, min(index, self.count - 1))

    def _keep_in_sight(self) -> None:
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + self._visible:
            self.scroll_to(y=self.cursor - self._visible + 1, animate=False)

    def _arrange(self) -> None:
        """Share the width out, and say how much there is to scroll."""
        overflows = self.count + 1 > self.size.height > 0
        bar = self.styles.scrollbar_size_vertical if overflows else 0
        room = self.outer_size.width - bar
        self._widths = list(self._wanted)
        free = room - 2 - sum(self._widths) - _GAP * max(0, len(self._widths) - 1)
        grow = [i for i, column in enumerate(self._table.columns) if column.grow]
        if grow:
            last = grow[-1]
            self._widths[last] = max(_LEAST, self._widths[last] + free)
        whole = 2 + sum(self._widths) + _GAP * max(0, len(self._widths) - 1)
        self.virtual_size = Size(max(room, whole), self.count + 1)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"rows--{name}", partial=True)

    def _header(self) -> Strip:
        style = self.rich_style + self._style("header")
        texts = [
            fitted(column.name, width, column.right)
            for column, width in zip(self._table.columns, self._widths, strict=True)
        ]
        return self._strip([Segment("  " + (" " * _GAP).join(texts), style)])

    def _row(self, index: int) -> Strip:
        base = self.rich_style
        cursor = self._style("cursor") if index == self.cursor else Style()
        sign = "▪ " if self._table.marked(index) else "  "
        segments = [Segment(sign, base + self._style("accent") + cursor)]
        plain = base + cursor
        fields = self._table.row(index)
        for position, (field, column) in enumerate(zip(fields, self._table.columns, strict=False)):
            text, tone = (field, "") if isinstance(field, str) else field
            shown = fitted(safe(text), self._widths[position], column.right)
            style = base + self._style(tone) + cursor if tone else plain
            segments.append(Segment(shown, style))
            segments.append(Segment(" " * _GAP, plain))
        return self._strip(segments, plain)

    def _strip(self, segments: list[Segment], style: Style | None = None) -> Strip:
        left = self.scroll_offset.x
        width = self.scrollable_content_region.width
        filler = style or self.rich_style
        return Strip(segments).extend_cell_length(left + width, filler).crop(left, left + width)


def _wanted(table: Table) -> list[int]:
    """The width of each column after its name and a sample of its fields."""
    step = max(1, table.size // _MEASURED_ROWS)
    widths = [len(column.name) for column in table.columns]
    for index in range(0, table.size, step):
        for position, field in enumerate(table.row(index)):
            text = field if isinstance(field, str) else field.text
            if position < len(widths):
                widths[position] = max(widths[position], len(text))
    return [
        _LEAST if column.grow else min(width, column.most)
        for column, width in zip(table.columns, widths, strict=True)
    ]
