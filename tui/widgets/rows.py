"""A table of virtual rows: only what is on the screen is made, however many rows there are."""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from tui.widgets import tables
from tui.widgets.drawn_rows import DrawnRows
from tui.widgets.tables import EMPTY as EMPTY
from tui.widgets.tables import Cell as Cell
from tui.widgets.tables import Column as Column
from tui.widgets.tables import Field as Field
from tui.widgets.tables import Parts as Parts
from tui.widgets.tables import Row as Row
from tui.widgets.tables import Table as Table


class Rows(DrawnRows, can_focus=True):
    """Shows a ``Table``. Enter opens a row, space marks it, z sorts by the next column.

    Rows are named by their index in the table, whatever order they are shown in.
    """

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
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False),
        Binding("home,g", "jump(0)", "First", show=False),
        Binding("end,G", "jump(-1)", "Last", show=False),
        Binding("enter", "open", "Open"),
        Binding("space", "mark", "Mark"),
        Binding("z", "sort", "Sort", show=False),
        Binding("Z", "turn", "Turn", show=False),
    ]

    class OfRow(Message):
        """Something about one row."""

        def __init__(self, rows: Rows, index: int) -> None:
            super().__init__()
            self.rows = rows
            self.index = index

        @property
        def control(self) -> Rows:
            return self.rows

    class Arranged(OfRow):
        """The order or the columns are others than before."""

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
        self.nothing = nothing
        self.hidden: frozenset[str] = frozenset()
        self._whole = EMPTY
        self._wanted: list[int] = []
        self._places: dict[int, int] = {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Where nothing can be marked, space does nothing."""
        return self.marks if action == "mark" else True

    @property
    def column_names(self) -> list[str]:
        """Of all columns, those that are hidden too."""
        return [column.name for column in self._whole.columns if column.name]

    def show(self, table: Table, cursor: int | None = None) -> None:
        """Show another table; the cursor stays where it is unless told otherwise."""
        self._whole = table
        self._table = tables.without(table, self.hidden)
        self._put_in_order()
        self._arrange()
        first = self._index_at(0) if cursor == 0 else cursor
        self.cursor = self._bounded(self.cursor if first is None else first)
        self.refresh()

    def hide(self, names: Collection[str]) -> None:
        """Show the columns that are not among these."""
        self.hidden = frozenset(names)
        self.show(self._whole)
        self.post_message(self.Arranged(self, self.cursor))

    def sort(self, column: str, turned: bool = False) -> None:
        """By a column, "" for the table's own order; the cursor stays on its row."""
        self.sorted_by, self.turned = column, turned
        self._put_in_order()
        self._arrange()
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Arranged(self, self.cursor))

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
        self._go(self._place + by)

    def action_page(self, by: int) -> None:
        self._go(self._place + by * max(1, self._visible - 1))

    def action_jump(self, to: int) -> None:
        self._go(to if to >= 0 else self.count - 1)

    def action_open(self) -> None:
        if self.count:
            self.post_message(self.Opened(self, self.cursor))

    def action_mark(self) -> None:
        if self.count:
            self.post_message(self.Marked(self, self.cursor))
            self.action_move(1)

    def action_sort(self) -> None:
        """By the next column; after the last one in the table's own order."""
        names = ["", *(column.name for column in self._table.columns if column.name)]
        at = names.index(self.sorted_by) if self.sorted_by in names else 0
        self.sort(names[(at + 1) % len(names)])

    def action_turn(self) -> None:
        """The other way round."""
        if self.sorted_by:
            self.sort(self.sorted_by, not self.turned)

    def on_click(self, event: events.Click) -> None:
        if event.y < 1:
            self._sort_at(event.x + self.scroll_offset.x)
            return
        place = event.y - 1 + self.scroll_offset.y
        if not 0 <= place < self.count:
            return
        index = self._index_at(place)
        if index == self.cursor or event.chain > 1:
            self.action_open()
        self.cursor = index

    def on_resize(self, event: events.Resize) -> None:
        self._arrange()
        self._keep_in_sight()

    @property
    def _visible(self) -> int:
        return max(1, self.scrollable_content_region.height - 1)

    @property
    def _place(self) -> int:
        """Of the cursor's row, from the top."""
        return self.cursor if self._order is None else self._places.get(self.cursor, 0)

    def _go(self, place: int) -> None:
        self.cursor = self._index_at(self._bounded(place))

    def _bounded(self, index: int) -> int:
        return max(0, min(index, self.count - 1))

    def _put_in_order(self) -> None:
        self._wanted = tables.widths(self._table)
        self._order = None
        names = [column.name for column in self._table.columns]
        if self.sorted_by and self.sorted_by in names:
            at = names.index(self.sorted_by)
            self._wanted[at] = max(self._wanted[at], len(self.sorted_by) + 1)  # for its sign
            self._order = tables.ordered(self._table, self.sorted_by, self.turned)
            self._places = {index: place for place, index in enumerate(self._order)}

    def _sort_at(self, x: int) -> None:
        """By the column at ``x``; a second time the other way round, then not at all."""
        left = 2
        for column, width in zip(self._table.columns, self._widths, strict=False):
            if left <= x < left + width + tables.GAP and column.name:
                again = column.name == self.sorted_by
                self.sort("" if again and self.turned else column.name, again)
                return
            left += width + tables.GAP

    def _keep_in_sight(self) -> None:
        top, place = self.scroll_offset.y, self._place
        if place < top:
            self.scroll_to(y=place, animate=False)
        elif place >= top + self._visible:
            self.scroll_to(y=place - self._visible + 1, animate=False)

    def _arrange(self) -> None:
        """Share the width out, and say how much there is to scroll."""
        overflows = self.count + 1 > self.size.height > 0
        bar = self.styles.scrollbar_size_vertical if overflows else 0
        room = self.outer_size.width - self.gutter.width - bar
        self._widths = tables.shared(self._table.columns, self._wanted, room - 2)
        whole = 2 + sum(self._widths) + tables.GAP * max(0, len(self._widths) - 1)
        self.virtual_size = Size(max(room, whole), self.count + 1)
