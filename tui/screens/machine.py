"""This machine: what it can run, what to do about the rest, how it is set, its load."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Static

from tui.copying import Copied
from tui.loaded import Remark
from tui.screens.base import Page
from tui.screens.full import Full
from tui.screens.remarks import COLUMNS, remark_row, remark_text
from tui.text import fitted, safe
from tui.views import home
from tui.views.load import load
from tui.widgets.rows import Rows, Table

LOOK_EVERY_S = 1.0
"""Often enough for a curve of minutes, and next to nothing of a processor."""

_LEAST_LOAD, _LOAD = 3, 7
_BESIDE = 9
_NAME = 10


class MachineScreen(Page):
    """On top of what was seen; escape goes back. Findings beside the load, or below it."""

    mode = "home"
    about = "Machine: what it can run, how it is set, how busy it is"
    watches_load = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "look", "Look again", tooltip="look at everything again, as doctor does"),
        Binding("escape", "app.back", "Back"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._drawn_s = 0.0

    def body(self) -> ComposeResult:
        yield Static(id="machine-line", classes="line")
        yield Static(id="state", classes="panel")
        with Container(id="beside"):
            yield Static(id="load", classes="panel")
            with Vertical(id="findings"):
                yield Rows(id="remarks", nothing="looking …")
                yield Static(id="details")

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
        if self.main_app.live.queue.active:
            self.query_one(Rows).nothing = "r looks; a cell that is timed now would notice."
        elif self._found is None:
            self.action_look()

    def action_look(self) -> None:
        """As ``repliquant doctor``; takes seconds."""
        self.query_one(Rows).nothing = "looking …"
        self.main_app.data.home.examine()
        self.main_app.data.home.look_at_machine()
        self.renew()

    @property
    def _found(self) -> Sequence[Remark] | None:
        return self.main_app.data.home.findings

    @property
    def _remark(self) -> Remark | None:
        row = self.query_one(Rows).cursor
        found = self._found or ()
        return found[row] if row < len(found) else None

    def renew(self) -> None:
        data, found = self.main_app.data.home, self._found or ()
        line = home.machine_line(data.machine, data.business)
        self.query_one("#machine-line", Static).update(line)
        self.query_one("#state", Static).update(self._state())
        rows = self.query_one(Rows)
        rows.show(Table(COLUMNS, len(found), lambda index: remark_row(found[index])))
        self._moved()
        self._drawn_s = 0.0
        self.beat()

    def _state(self) -> Text:
        """How it is set and how loaded it is; why what can't be told can't be."""
        text = Text(no_wrap=True, overflow="ellipsis")
        for fact in self.main_app.data.home.state or ():
            text.append(fitted(fact.what, _NAME), "dim")
            text.append(f"{safe(fact.found)}\n", "not dim" if fact.known else "dim")
        text.rstrip()
        return text

    def on_resize(self) -> None:
        if self.settled:
            self._drawn_s = 0.0
            self.beat()

    def beat(self) -> None:
        """The load, drawn once in a while."""
        now_s = time.monotonic()
        if now_s - self._drawn_s < LOOK_EVERY_S:
            return
        self._drawn_s = now_s
        trace, width = self.main_app.live.trace, self.size.width
        wide = width >= home.WIDE
        room = self.size.height - _BESIDE if wide else max(_LEAST_LOAD, self.size.height // 3)
        panel = self.query_one("#load", Static)
        panel.display = self.size.height > 2 * _LOAD
        columns = (width // 2 if wide else width) - 3
        colour = self.main_app.paint("primary")
        lines = load(trace.samples, trace.opening, columns, room, colour)
        nothing = Text(safe(self.main_app.live.no_readings), "dim")
        panel.update(Text("\n").join(lines) if lines else nothing)

    @on(Rows.Moved)
    def _moved(self) -> None:
        remark = self._remark
        text = remark_text(remark, 1000) if remark is not None else Text()
        self.query_one("#details", Static).update(text)

    @on(Rows.Opened)
    def _opened(self) -> None:
        remark = self._remark
        if remark is not None:
            self.app.push_screen(Full(remark.what, remark_text(remark)))

    def copies(self) -> Sequence[Copied]:
        remark = self._remark
        found = [] if remark is None else [
            Copied("y", "what was found", f"{remark.what}: {remark.found}"),
            Copied("n", "what to do", remark.more),
        ]  # fmt: skip
        return [*found, Copied("m", "the command that shows this", "repliquant doctor")]
