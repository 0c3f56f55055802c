"""Screen 3: what runs now, how far it is, what the machine does, and what the cell says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Input, Static, Tab, Tabs

from services.run_state import CellState, RunState
from services.shown_commands import status_command
from tui.copying import Copied
from tui.screens.base import Page
from tui.text import safe
from tui.views import run as views
from tui.widgets.log import Log
from tui.widgets.rows import Rows

if TYPE_CHECKING:
    from orchestrator.running.request import Request
    from tui.live import Followed

_LOW_SCREEN, _PLACE_SCREEN, _HIGH_SCREEN = 20, 28, 36
_COPIED_LINES = 200
_PANES = ("log", "queue", "notes")


class RunScreen(Page):
    """Progress, curves and the machine above the log; queue and notes beside them on a wide
    screen, behind tabs on a narrow one.
    """

    mode = "run"
    about = "Run: what runs now, what waits, and what the machine does"
    watches_runs = watches_load = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", tooltip="end after the cells that run now"),
        Binding("X", "cancel", "Cancel", tooltip="end the running cells now"),
        Binding("s", "go_on", "Go on", tooltip="run what is left of this run"),
        Binding("R", "retry", "Retry", show=False, tooltip="run the cell under the cursor again"),
        Binding(
            "A",
            "more",
            "Add repeats",
            show=False,
            tooltip="two more processes of the cell under the cursor",
        ),
        Binding("J", "reorder(1)", "Later", show=False, tooltip="let a request wait for the next"),
        Binding("K", "reorder(-1)", "Sooner", show=False, tooltip="take a request before another"),
        Binding("D", "drop", "Drop", show=False, tooltip="take a waiting request out of the queue"),
        Binding("v", "verdicts", "Verdicts", tooltip="what the run has come to, claim by claim"),
        Binding("slash", "search", "Search", tooltip="search the log; n and N go on"),
        Binding("left_square_bracket", "tab(-1)", "Tab", show=False, tooltip="the tab before"),
        Binding("right_square_bracket", "tab(1)", "Tab", tooltip="the next tab"),
        Binding("space", "hold", "Hold", show=False, tooltip="replay: hold, go on"),
        Binding("less_than_sign,minus", "slower", "Slower", tooltip="replay: slower"),
        Binding("greater_than_sign,plus", "faster", "Faster", tooltip="replay: faster"),
        Binding("comma", "skip(-1)", "Back", show=False, tooltip="replay: back by a cell"),
        Binding("full_stop", "skip(1)", "Next", show=False, tooltip="replay: on to the next cell"),
    ]

    def __init__(self) -> None:
        super().__init__(classes="show-log")
        self._run_state: RunState | None = None
        self._order: list[CellState] = []
        self._waiting: list[Request] = []

    def body(self) -> ComposeResult:
        with Container(id="run"):
            with Vertical(id="left"):
                with Vertical(classes="panel"):
                    yield Static(id="now")
                    yield Static(id="curves")
                    yield Static(id="machine")
                yield Tabs(*(Tab(name.title(), id=name) for name in _PANES))
                yield Log(id="view-log")
            with Vertical(id="side"):
                yield Rows(id="view-queue", nothing="Nothing runs. s on screen 2 starts cells.")
                yield Log(id="view-notes", nothing="no note yet")
        yield Input(id="filter", placeholder="search the log", compact=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a run that goes on can be paused or cancelled; only a replay has a speed."""
        replaying = self.main_app.live.replay is not None
        if action in ("pause", "cancel"):
            return self.main_app.run_actions.may(action)
        if action == "verdicts":
            return self.main_app.live.run is not None and not self.main_app.live.queue.active
        if action == "go_on":
            return self.main_app.run_actions.can_go_on
        if action in ("slower", "faster", "skip", "hold"):
            return replaying
        return True

    def on_mount(self) -> None:
        for pane in _PANES:
            self.query_one(f"#view-{pane}").border_title = pane
        self.query_one("#view-log", Log).focus()

    def on_resize(self) -> None:
        if self.settled:
            self.beat()

    def renew(self) -> None:
        run = self._run_state = self.main_app.live.run_state
        self._order = [run.cells[id_] for id_ in run.queued]
        self._waiting = self.main_app.live.queue.waiting
        table = views.queue_table(self._order, self._waiting, self.main_app.live)
        self.query_one("#view-queue", Rows).show(table)
        self.beat()

    def beat(self) -> None:
        live = self.main_app.live
        run, now_s = live.run_state, live.now_s
        changed = run is not self._run_state or len(self._order) != run.total
        if changed or self._waiting != live.queue.waiting:
            self.renew()
            return
        width = self._room
        told = views.progress(run, now_s, width, self.main_app, self._place(run, now_s))
        self.query_one("#now", Static).update(told)
        self._draw_curves(run.shown, width)
        cell = run.shown.planned.id if run.shown else ""
        colour, high = self.main_app.paint("primary"), self.size.height >= _HIGH_SCREEN
        lines = live.trace.lines(width, cell, live.no_readings, colour, high)
        self.query_one("#machine", Static).update(Text("\n").join(lines))
        self.query_one("#view-queue", Rows).refresh_rows()
        self._entitle(run, now_s)

    def _place(self, run: RunState, now_s: float) -> str:
        """Where the shown cell runs; nothing on a low screen."""
        shown, live = run.shown, self.main_app.live
        if shown is None or self.size.height < _PLACE_SCREEN:
            return ""
        running = shown.state == "running"
        return self.main_app.data.places.words(live.run, shown.planned, now_s, running)

    def _entitle(self, run: RunState, now_s: float) -> None:
        """What each pane is about; what an empty log says instead of lines."""
        log, queue = self.query_one("#view-log", Log), self.query_one("#view-queue", Rows)
        log.say_nothing(views.log_words(run, now_s, self.main_app.live.queue.active))
        title = run.shown.planned.cell.title if run.shown else ""
        log.border_title = safe(f"log of {title}" if title else "log", 100).replace("[", "(")
        more = f", {len(self._waiting)} more wait" if self._waiting else ""
        queue.border_title = f"queue {run.done} of {run.total}{more}" if run.total else "queue"

    @property
    def _room(self) -> int:
        """Columns of what stands at the left."""
        width = self.size.width
        return max(20, (width * 3 // 5 if width >= 120 else width) - 2)

    def follow(self, followed: Followed) -> None:
        log = self.query_one("#view-log", Log)
        if followed.anew:
            log.clear()
        log.add(followed.lines)
        self.query_one("#view-notes", Log).add(followed.notes)

    def copies(self) -> Sequence[Copied]:
        run, shown = self.main_app.live.run, self.main_app.live.run_state.shown
        lines = self.query_one("#view-log", Log).lines[-_COPIED_LINES:]
        found = [Copied("l", "the end of the log", "\n".join(lines))] if lines else []
        if shown is not None:
            found.append(Copied("y", "the cell's id", shown.planned.id))
        if run is not None:
            found.append(Copied("m", "the command that shows it", status_command(run)))
            found.append(Copied("f", "the run's folder", str(run.folder)))
        return found

    def action_pause(self) -> None:
        self.main_app.run_actions.pause()

    def action_cancel(self) -> None:
        self.main_app.run_actions.ask_to_cancel()

    def action_go_on(self) -> None:
        self.main_app.run_actions.go_on()

    def action_retry(self) -> None:
        cell = self._chosen
        if cell is not None:
            self.main_app.run_actions.ask_to_retry(cell)

    def action_more(self) -> None:
        cell = self._chosen
        if cell is not None:
            self.main_app.run_actions.ask_for_more(cell.planned)

    @property
    def _chosen(self) -> CellState | None:
        """The cell under the cursor, else the one that ended last."""
        row, state = self.query_one("#view-queue", Rows).cursor, self.main_app.live.run_state
        cell = self._order[row] if row < len(self._order) else state.shown
        return state.cells.get(cell.planned.id, cell) if cell is not None else None

    def action_reorder(self, by: int) -> None:
        at = self._waiting_at
        if at is not None and self.main_app.live.queue.move(at, by):
            self.renew()
            self.query_one("#view-queue", Rows).cursor += by

    def action_drop(self) -> None:
        at = self._waiting_at
        if at is not None and not self.main_app.refused("Changing the queue"):
            self.main_app.live.queue.drop(at)
            self.renew()

    @property
    def _waiting_at(self) -> int | None:
        """Which of the requests that wait is under the cursor."""
        at = self.query_one("#view-queue", Rows).cursor - len(self._order)
        return at if 0 <= at < len(self._waiting) else None

    def action_verdicts(self) -> None:
        run = self.main_app.live.run
        if run is not None:
            self.main_app.data.judge_run(run)

    def action_hold(self) -> None:
        self.main_app.live.hold()

    def action_slower(self) -> None:
        self.main_app.live.change_speed(-1)

    def action_faster(self) -> None:
        self.main_app.live.change_speed(1)

    def action_skip(self, by: int) -> None:
        self.main_app.live.skip(by)
        self.renew()

    def action_tab(self, by: int) -> None:
        tabs = self.query_one(Tabs)
        (tabs.action_next_tab if by > 0 else tabs.action_previous_tab)()

    def action_search(self) -> None:
        self.query_one(Tabs).active = "log"
        box = self.query_one("#filter", Input)
        box.add_class("open")
        box.focus()

    def undo(self) -> bool:
        box = self.query_one("#filter", Input)
        if not box.has_class("open"):
            return False
        box.remove_class("open")
        self.query_one("#view-log", Log).focus()
        return True

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        if event.input.has_class("open"):
            self.query_one("#view-log", Log).find(event.value)

    @on(Input.Submitted, "#filter")
    def _search(self, event: Input.Submitted) -> None:
        found = self.query_one("#view-log", Log).find(event.value)
        self.undo()
        if event.value and not found:
            self.notify(f"{safe(event.value, 60)!r} is not in the log", markup=False)

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        for pane in _PANES:
            self.set_class(pane == event.tab.id, f"show-{pane}")
        if self.settled and (self.focused is None or self.focused.id != "filter"):
            self.query_one(f"#view-{event.tab.id}").focus()

    @on(Rows.Opened, "#view-queue")
    def _open(self, event: Rows.Opened) -> None:
        run = self.main_app.live.run
        if run is not None and event.index < len(self._order):
            self.main_app.open_manifest(run, self._order[event.index].planned.id)

    def _draw_curves(self, cell: CellState | None, width: int) -> None:
        panel = self.query_one("#curves", Static)
        height = self.size.height
        lines = views.MOST_CURVE_LINES if height >= _HIGH_SCREEN else views.LEAST_CURVE_LINES
        colours = [self.main_app.paint(tone) for tone in ("primary", "success")]
        low = cell is None or height < _LOW_SCREEN
        drawn = [] if low or cell is None else views.curves(cell, width, lines, colours)
        panel.display = bool(drawn)
        if drawn:
            panel.update(Text("\n").join(drawn))
