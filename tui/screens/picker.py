"""Picking from a list: one with enter, or several with space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from tui.screens.dialog_base import Dialog
from tui.text import safe
from tui.widgets.rows import Column, Rows, Table


class Pick(Dialog[list[str] | None]):
    """Gives back the keys of what was picked, in the order of the list, or None. ``most`` can be
    marked; of fewer than two, the one under the cursor is picked.
    """

    DEFAULT_CSS = "Pick Rows { height: auto; max-height: 14; min-height: 3; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Cancel")]

    def __init__(self, title: str, items: Sequence[tuple[str, str]], most: int = 1) -> None:
        super().__init__()
        self._title, self._items, self._most = title, items, most
        self._marked: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(safe(self._title)), classes="title")
            yield Rows(id="pick", nothing="None yet.", marks=self._most > 1)

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.styles.height = min(14, len(self._items) + 2)
        rows.show(
            Table(
                [Column("", grow=True)],
                len(self._items),
                lambda index: [self._items[index][1]],
                lambda index: self._items[index][0] in self._marked,
            )
        )
        rows.focus()

    @on(Rows.Marked)
    def _mark(self, event: Rows.Marked) -> None:
        if self._most == 1:
            return
        key = self._items[event.index][0]
        if key in self._marked:
            self._marked.remove(key)
        else:
            self._marked = [*self._marked, key][-self._most :]
        self.query_one(Rows).refresh_rows()

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        marked = [key for key, _ in self._items if key in self._marked]
        self.dismiss(marked if len(marked) > 1 else [self._items[event.index][0]])

    def action_leave(self) -> None:
        self.dismiss(None)


class Tick(Pick):
    """Gives back those that are ticked, or None; ``ticked`` are so from the beginning."""

    def __init__(self, title: str, items: Sequence[str], ticked: Sequence[str]) -> None:
        super().__init__(title, [(item, item) for item in items], most=len(items) + 1)
        self._marked = list(ticked)

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        self.dismiss([key for key, _ in self._items if key in self._marked])
