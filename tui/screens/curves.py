"""Curves of cells in several runs, one over the other, and a row with the numbers of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from comparisons.render.values import number
from services.shown_commands import show_command
from tui.copying import Copied
from tui.screens.base import Page
from tui.text import safe
from tui.views.overlay import letter, overlay
from tui.widgets.rows import Column, Row, Rows, Table

if TYPE_CHECKING:
    from tui.loaded import Curve, Curves

_COLUMNS = (
    Column(""), Column("run", grow=True), Column("cell", most=14), Column("points", True),
    Column("first", True), Column("last", True), Column("least", True), Column("most", True),
)  # fmt: skip
_MOST_ROWS = 13
_LEAST_LINES = 4


class CurvesScreen(Page):
    """On top of results or of a comparison; escape goes back."""

    mode = "results"
    about = "Curves: a cell in several runs, one over the other"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "quantity(1)", "View", tooltip="the next quantity"),
        Binding("left_square_bracket", "quantity(-1)", "Quantity", show=False,
                tooltip="the quantity before"),
        Binding("right_square_bracket", "quantity(1)", "Quantity", tooltip="the next quantity"),
    ]  # fmt: skip

    def __init__(self, curves: Curves) -> None:
        super().__init__()
        self._curves = curves
        self._names = list(curves.found)
        self._at = 0

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Static(id="plot", classes="panel")
        yield Rows(id="curves-of", nothing="No curve.")

    def on_mount(self) -> None:
        self.query_one(Rows).focus()

    @property
    def _shown(self) -> list[Curve]:
        return self._curves.found[self._names[self._at]]

    def renew(self) -> None:
        self._show(None)

    def on_resize(self) -> None:
        if self.settled:
            self._show(None)

    def action_quantity(self, by: int) -> None:
        self._at = (self._at + by) % len(self._names)
        self._show(0)

    def _show(self, cursor: int | None) -> None:
        name = self._names[self._at]
        text = Text(f"{self._at + 1} of {len(self._names)}   ", "dim")
        text.append(safe(name), "bold not dim")
        text.append(f" by {self._curves.across[name]}   {safe(self._curves.title)}", "dim")
        self.query_one("#summary", Static).update(text)
        rows = self.query_one(Rows)
        rows.styles.height = min(_MOST_ROWS, len(self._shown) + 1)
        rows.show(Table(_COLUMNS, len(self._shown), self._row), cursor)
        self._draw()

    def _row(self, index: int) -> Row:
        curve = self._shown[index]
        ends = curve.values[0], curve.values[-1], min(curve.values), max(curve.values)
        told = [number(value) for value in ends]
        return [letter(index), curve.run.id, curve.cell, f"{len(curve.values):,}", *told]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw()

    @on(Rows.Opened)
    def _opened(self, event: Rows.Opened) -> None:
        curve = self._shown[event.index]
        self.main_app.open_manifest(curve.run, curve.cell)

    def _draw(self) -> None:
        rows = self.query_one(Rows)
        room = self.size.height - min(_MOST_ROWS, len(self._shown) + 1) - 4
        plot = self.query_one("#plot", Static)
        plot.display = room >= _LEAST_LINES
        lines = overlay(self._shown, rows.cursor, self.size.width - 2, room, self.main_app.paint)
        plot.update(Text("\n").join(lines))

    def copies(self) -> Sequence[Copied]:
        row = self.query_one(Rows).cursor
        if row >= len(self._shown):
            return ()
        curve = self._shown[row]
        told = "\n".join(
            f"{step:g}\t{value!r}" for step, value in zip(curve.steps, curve.values, strict=True)
        )
        return (
            Copied("y", "its last value", number(curve.values[-1])),
            Copied("t", "the curve, a step and its value a line", told),
            Copied("m", "the command that shows this cell", show_command(curve.run, curve.cell)),
        )
