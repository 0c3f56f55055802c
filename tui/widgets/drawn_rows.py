"""How a table of virtual rows is drawn: the head, and of the rows those that are seen."""

from __future__ import annotations

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.text import fitted, safe
from tui.widgets import tables
from tui.widgets.tables import EMPTY, Cell, Column, Parts


class DrawnRows(ScrollView):
    """Draws ``_table`` in ``_order``; ``_widths`` are those of its columns. Which rows there are,
    and what keys do, is another's work.
    """

    cursor: reactive[int] = reactive(0, repaint=False)

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.nothing = ""
        self.sorted_by, self.turned = "", False
        self._table = EMPTY
        self._widths: list[int] = []
        self._order: list[int] | None = None

    @property
    def count(self) -> int:
        return self._table.size

    def render_line(self, y: int) -> Strip:
        width = self.scrollable_content_region.width
        if not self._table.columns or not self.count:
            text = self.nothing if y == 1 else ""
            return self._strip([Segment(fitted(f" {text}", width), self._style("dim"))])
        if y == 0:
            return self._header()
        place = y - 1 + self.scroll_offset.y
        if place >= self.count:
            return Strip.blank(width, self.rich_style)
        return self._row(self._index_at(place))

    def _index_at(self, place: int) -> int:
        return place if self._order is None or place >= len(self._order) else self._order[place]

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"rows--{name}", partial=True)

    def _header(self) -> Strip:
        style = self.rich_style + self._style("header")
        texts = [
            fitted(self._head(column), width, column.right)
            for column, width in zip(self._table.columns, self._widths, strict=True)
        ]
        return self._strip([Segment("  " + (" " * tables.GAP).join(texts), style)])

    def _head(self, column: Column) -> str:
        if column.name != self.sorted_by or not column.name:
            return column.name
        return f"{'▼' if self.turned else '▲'}{column.name}"

    def _row(self, index: int) -> Strip:
        cursor = self._style("cursor") if index == self.cursor else Style()
        plain = self.rich_style + cursor
        sign = "▪ " if self._table.marked(index) else "  "
        segments = [Segment(sign, self.rich_style + self._style("accent") + cursor)]
        cells = self._table.row(index)
        for cell, column, width in zip(cells, self._table.columns, self._widths, strict=False):
            segments += self._cell(cell, width, column.right, cursor)
            segments.append(Segment(" " * tables.GAP, plain))
        return self._strip(segments, plain)

    def _cell(self, cell: Cell, width: int, right: bool, cursor: Style) -> list[Segment]:
        if isinstance(cell, Parts):
            return self._parts(cell, width, cursor)
        text, tone = (cell, "") if isinstance(cell, str) else cell
        return [Segment(fitted(safe(text), width, right), self._toned(tone, cursor))]

    def _parts(self, parts: Parts, width: int, cursor: Style) -> list[Segment]:
        segments = []
        for text, tone in parts.fields:
            shown = fitted(safe(text), min(width, cell_len(safe(text))))
            width -= cell_len(shown)
            style = cursor + self._style(tone) if tone else cursor  # a bar keeps its colours
            segments.append(Segment(shown, self.rich_style + style))
        return [*segments, Segment(" " * width, self._toned("", cursor))]

    def _toned(self, tone: str, cursor: Style) -> Style:
        base = self.rich_style
        return base + self._style(tone) + cursor if tone else base + cursor

    def _strip(self, segments: list[Segment], style: Style | None = None) -> Strip:
        left = self.scroll_offset.x
        width = self.scrollable_content_region.width
        filler = style or self.rich_style
        return Strip(segments).extend_cell_length(left + width, filler).crop(left, left + width)
