"""Runs cell by cell, as ``repliquant compare`` tells it, and their environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from services.shown_commands import compare_command
from tui.copying import Copied
from tui.screens.base import Page
from tui.views import comparison as views
from tui.widgets.rows import Rows

if TYPE_CHECKING:
    from tui.loaded import ComparedRuns


class CompareScreen(Page):
    """Opened from a list of runs; escape goes back."""

    mode = "results"
    about = "Compare: the oldest run first; ratio = a newer / the oldest"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "curves", "Curves", tooltip="this cell's curves, one run over the other"),
        Binding("y", "copy", "Copy", tooltip="copy the row, or the command"),
    ]

    def __init__(self, compared: ComparedRuns) -> None:
        super().__init__()
        self._names = [run.folder.name for run in compared.runs]
        self._compared = compared
        self._rows = views.aligned(compared.found)

    def body(self) -> ComposeResult:
        yield Static(views.title(self._names, self._rows), classes="line")
        yield Rows(id="lines", nothing="No cell is in these runs together.")
        yield Static(id="details")
        yield Static(views.environments(self._names, self._compared.found), classes="panel")

    def on_mount(self) -> None:
        rows = self.query_one("#lines", Rows)
        rows.show(views.table(self._names, self._rows, self.app.size.width))
        rows.focus()
        self._moved()

    def on_resize(self) -> None:
        table = views.table(self._names, self._rows, self.size.width)
        self.query_one("#lines", Rows).show(table)

    @property
    def _line(self) -> views.Aligned | None:
        row = self.query_one("#lines", Rows).cursor
        return self._rows[row] if row < len(self._rows) else None

    @on(Rows.Moved)
    def _moved(self) -> None:
        """What stands behind the verdicts of the line under the cursor."""
        if self._line is not None:
            self.query_one("#details", Static).update(views.why(self._names, self._line))

    @on(Rows.Opened)
    def action_curves(self) -> None:
        """Of the cells of this line, in all of the runs."""
        if self._line is None:
            return
        known = views.known(self._line)
        cells = [id_ for line in known for id_ in (*line.cells_base, *line.cells_new)]
        runs = self._compared.runs
        self.main_app.data.read_curves(runs, list(dict.fromkeys(cells)), known[0].cell)

    def copies(self) -> Sequence[Copied]:
        told = []
        if self._line is not None:
            text = views.why(self._names, self._line).plain
            told.append(Copied("r", "the row", " ".join(text.split())))
        first, *others = (run.folder for run in self._compared.runs)
        commands = [compare_command(first, other) for other in others]
        return (*told, Copied("m", "the command that shows this", "\n".join(commands)))
