"""A list of remarks on top of another screen: what a machine lacks, what an archive shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from tui.loaded import Remark
from tui.screens.base import Page
from tui.screens.full import Full
from tui.text import safe
from tui.widgets.rows import Column, Field, Row, Rows, Table

_SIGNS = {"ok": ("●", "good"), "note": ("–", "warn")}
_LONGEST = 20_000
COLUMNS = (Column("state", most=12), Column("what", most=24), Column("found", grow=True))


class RemarksScreen(Page):
    """Enter opens one; escape goes back."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.back", "Back")]

    def __init__(self, about: str, title: str, found: Sequence[Remark], mode: str) -> None:
        super().__init__()
        self.about, self.mode = about, mode  # type: ignore[misc]
        self._title, self._all = title, found

    def body(self) -> ComposeResult:
        yield Static(Text(safe(self._title), "bold"), classes="line")
        yield Rows(id="remarks", nothing="Nothing was found.")
        yield Static(id="details")

    def on_mount(self) -> None:
        rows = self.query_one("#remarks", Rows)
        rows.show(Table(COLUMNS, len(self._all), lambda index: remark_row(self._all[index])))
        rows.focus()
        self._moved()

    @on(Rows.Moved)
    def _moved(self) -> None:
        row = self.query_one("#remarks", Rows).cursor
        if row < len(self._all):
            self.query_one("#details", Static).update(remark_text(self._all[row], 1000))

    @on(Rows.Opened)
    def _opened(self, event: Rows.Opened) -> None:
        remark = self._all[event.index]
        self.app.push_screen(Full(remark.what, remark_text(remark)))


def remark_row(remark: Remark) -> Row:
    """In the order of ``COLUMNS``."""
    sign, tone = _SIGNS.get(remark.state, ("✗", "bad"))
    return [Field(f"{sign} {remark.state}", tone), remark.what, remark.found]


def remark_text(remark: Remark, most: int = _LONGEST) -> Text:
    """What was found, and what to do."""
    text = Text(safe(" ".join(remark.found.split()), most))
    return text.append(f"\n{safe(remark.more, most)}", "dim") if remark.more else text
