"""Two runs cell by cell, as ``repliquant compare`` tells it, and their environments."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from comparisons.render import differences as words
from tui.screens.base import Page
from tui.text import safe
from tui.widgets.rows import Column, Field, Rows, Table

if TYPE_CHECKING:
    from comparisons.differences import Difference, Differences

_LONGEST_NAME = 16
_GOOD = ("faster", "smaller", "less", "higher")
_BAD = ("slower", "larger", "more", "lower")


class CompareScreen(Page):
    """Opened from the list of runs; escape goes back."""

    mode = "results"
    about = "Compare: the older run first; ratio = the newer / the older"

    def __init__(self, names: Sequence[str], found: Differences) -> None:
        super().__init__()
        self._names, self._found = names, found

    def body(self) -> ComposeResult:
        base, new = (safe(name, 60) for name in self._names)
        counts = collections.Counter(line.verdict for line in self._found.lines)
        told = ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
        text = Text(f"{base} → {new}", "bold").append(f"   {told}", "not bold")
        yield Static(text, classes="line")
        yield Rows(id="lines", nothing="No cell is in both runs.")
        yield Static(id="details")
        yield Static(_environments(self._found), classes="panel")

    def on_mount(self) -> None:
        lines = self._found.lines
        rows = self.query_one("#lines", Rows)
        rows.show(Table(_columns(self._names), len(lines), lambda index: _row(lines[index])))
        rows.focus()
        self.on_rows_moved()

    def on_rows_moved(self) -> None:
        """What stands behind the verdict of the line under the cursor."""
        row = self.query_one("#lines", Rows).cursor
        if row < len(self._found.lines):
            self.query_one("#details", Static).update(_why(self._found.lines[row]))


def _columns(names: Sequence[str]) -> list[Column]:
    """The runs' names over their numbers; of long ones the end, in which they differ."""
    shown = [
        name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}" for name in names
    ]
    return [
        Column("cell", grow=True), Column("quantity", most=24),
        *(Column(safe(name, 60), True) for name in shown), Column("ratio", True),
        Column("verdict", most=12), Column("flags", most=20),
    ]  # fmt: skip


def _row(line: Difference) -> list[Field | str]:
    tone = "good" if line.verdict in _GOOD else "bad" if line.verdict in _BAD else "dim"
    base, new = (words.value(found, line.metric) for found in (line.base, line.new))
    return [
        line.cell, line.quantity, base, new, words.ratio(line), Field(line.verdict, tone),
        Field(", ".join(line.flagged), "warn"),
    ]  # fmt: skip


def _why(line: Difference) -> Text:
    text = Text(safe(line.cell), "bold").append("\n")
    if line.interval:
        low, high = line.interval.low, line.interval.high
        text.append(f"95 % of the ratio: {low:.3f} to {high:.3f}   ", "not bold")
    p = f"p {line.p:.2g}   " if line.p is not None else ""
    text.append(f"{p}n {words.count(line)}\n", "not bold")
    return text.append(safe(line.why), "dim not bold")


def _environments(found: Differences) -> Text:
    differing = words.environments(found)
    if not differing:
        return Text("the environments are the same", "dim")
    text = Text("environments differ", "bold")
    for item in differing[:4]:
        what, base, new = (safe(str(part), 60) for part in item)
        text.append(f"\n  {what}: {base} → {new}", "not bold")
    more = len(differing) - 4
    return text.append(f"\n  and {more} more", "dim not bold") if more > 0 else text
