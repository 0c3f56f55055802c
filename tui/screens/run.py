"""Screen 3: what runs now, how far it is, what the machine does, and what the cell says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.table import Table as RichTable
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import ContentSwitcher, Input, Static, Tab, Tabs

from services.phrases import duration
from services.run_state import CellState, RunState
from tui.charts import bar, columns, resampled, widened
from tui.screens.base import Page
from tui.states import state
from tui.text import clock, fitted, safe
from tui.titles import Titles
from tui.widgets.log import Log
from tui.widgets.rows import Column, Field, Rows, Table

if TYPE_CHECKING:
    from tui.app_base import AppBase
    from tui.live import Followed

_QUEUE = (Column("cell", grow=True), Column("time", right=True), Column("state", most=15))
_CURVE_LINES = 4
_LOW_SCREEN = 20


class RunScreen(Page):
    """Progress above, the machine in the middle; log, queue and notes as tabs below."""

    mode = "run"
    about = "Run: what runs now"
    watches_runs = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause", tooltip="end after the cells that run now"),
        Binding("X", "cancel", "Cancel", tooltip="end the running cells now"),
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
        super().__init__()
        self._run_state: RunState | None = None
        self._order: list[CellState] = []
        self._titles = Titles(())

    def body(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Static(id="now")
            yield Static(id="curves")
            yield Static(id="machine")
        yield Tabs(Tab("Log", id="log"), Tab("Queue", id="queue"), Tab("Notes", id="notes"))
        with ContentSwitcher(initial="view-log"):
            yield Log(id="view-log")
            yield Rows(id="view-queue", nothing="Nothing runs. s on screen 2 starts cells.")
            yield Log(id="view-notes")
        yield Input(id="filter", placeholder="search the log", compact=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a run that goes on can be paused or cancelled; only a replay has a speed."""
        replaying = self.main_app.live.replay is not None
        if action in ("pause", "cancel"):
            return self.main_app.run_actions.may(action)
        if action == "verdicts":
            return self.main_app.live.run is not None and not self.main_app.live.queue.active
        if action in ("slower", "faster", "skip", "hold"):
            return replaying
        return True

    def on_mount(self) -> None:
        self.query_one("#view-log", Log).focus()

    def renew(self) -> None:
        run = self._run_state = self.main_app.live.run_state
        self._order = [run.cells[id_] for id_ in run.queued]
        self._titles = Titles([cell.planned for cell in self._order])
        self.query_one("#view-queue", Rows).show(Table(_QUEUE, len(self._order), self._row))
        self.beat()

    def beat(self) -> None:
        run, now_s = self.main_app.live.run_state, self.main_app.live.now_s
        if run is not self._run_state or len(self._order) != run.total:
            self.renew()
            return
        width = max(20, self.size.width - 2)
        self.query_one("#now", Static).update(_progress(run, now_s, width, self.main_app))
        self._draw_curves(run.shown, width)
        cell = run.shown.planned.id if run.shown else ""
        colour, nothing = self.main_app.paint("primary"), self.main_app.live.no_readings
        lines = self.main_app.live.trace.lines(width, cell, nothing, colour)
        self.query_one("#machine", Static).update(Text("\n").join(lines))
        if self.query_one(ContentSwitcher).current == "view-queue":
            self.query_one("#view-queue", Rows).refresh_rows()

    def follow(self, followed: Followed) -> None:
        log = self.query_one("#view-log", Log)
        if followed.anew:
            log.clear()
        log.add(followed.lines)
        self.query_one("#view-notes", Log).add(followed.notes)

    def action_pause(self) -> None:
        self.main_app.run_actions.pause()

    def action_cancel(self) -> None:
        self.main_app.run_actions.ask_to_cancel()

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
        if not self.settled:
            return
        view = f"view-{event.tab.id}"
        self.query_one(ContentSwitcher).current = view
        if self.focused is None or self.focused.id != "filter":
            self.query_one(f"#{view}").focus()

    @on(Rows.Opened, "#view-queue")
    def _open(self, event: Rows.Opened) -> None:
        run = self.main_app.live.run
        if run is not None and event.index < len(self._order):
            self.main_app.open_manifest(run, self._order[event.index].planned.id)

    def _row(self, index: int) -> list[Field | str]:
        cell = self._order[index]
        cell = self.main_app.live.run_state.cells.get(cell.planned.id, cell)
        took = cell.took_s if cell.state not in ("waiting", "running") else 0.0
        if cell.state == "running":
            took = self.main_app.live.now_s - cell.began_s
        shown = clock(took) if took else Field(f"~{duration(cell.planned.estimate_s)}", "dim")
        return [self._titles.of(cell.planned.cell), shown, state(cell.state)]

    def _draw_curves(self, cell: CellState | None, width: int) -> None:
        curves = self.query_one("#curves", Static)
        low = self.size.height < _LOW_SCREEN
        colour = self.main_app.paint("primary")
        drawn = None if cell is None or low else _curves(cell, width, colour)
        curves.display = drawn is not None
        if drawn is not None:
            curves.update(drawn)


def _progress(run: RunState, now_s: float, width: int, kit: AppBase) -> Text:
    """What runs, and two bars: the cell's phase, and the whole run."""
    cell = run.shown
    if cell is None:
        return _labelled("now", Text(safe(_work(run) or kit.live.idle_words), "bold"))
    others = f"  and {len(run.running) - 1} more" if len(run.running) > 1 else ""
    title = Text(safe(cell.planned.cell.title) + others, "bold")
    if cell.state != "running":
        title.append(f"  {state(cell.state).text}", "not bold")
    room = max(8, min(40, width - 58))
    lines = [
        _labelled("now", title),
        _labelled(cell.phase or "–", _phase(cell, now_s, room, kit.paint("primary"))),
        _labelled("run", _whole(run, now_s, room, kit.paint("success"))),
    ]
    if run.aim and not run.outcome:
        lines.append(_labelled("again", Text(safe(run.aim))))
    return Text("\n").join(lines)


def _labelled(label: str, line: Text) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    return text.append(fitted(safe(label), 10), "dim").append(" ").append_text(line)


def _whole(run: RunState, now_s: float, room: int, colour: str) -> Text:
    left = run.remaining_s(now_s)
    told = f" {run.share(now_s):4.0%}  {run.done} of {run.total} cells  "
    told += clock(run.elapsed_s(now_s))
    going = f"about {duration(left)} left" if run.running or left else "done"
    told += f", {run.outcome or going}"
    told += f"  {run.failed} failed" if run.failed else ""
    told += f"  {run.cancelled} cancelled" if run.cancelled and not run.outcome else ""
    told += f": {safe(run.why)}" if run.why else ""
    return _bar(run.share(now_s), room, colour).append(told)


def _work(run: RunState) -> str:
    """What is done before the first cell: data, environments."""
    if run.work is None:
        going = not run.ended and not run.outcome
        return run.notes[-1] if run.notes and going else ""
    work = run.work
    return f"{work.text} {bar(work.done / work.of, 16)}" if work.of else work.text


def _phase(cell: CellState, now_s: float, room: int, colour: str) -> Text:
    going = cell.state == "running"
    told = f"  {clock(now_s - cell.began_s if going else cell.took_s)}"
    told += f" of about {duration(cell.planned.estimate_s)}" if going else ""
    told += f"  {safe(cell.reason)}" if cell.reason else ""
    steps = f"  step {cell.step:,}" + (f" of {cell.of:,}" if cell.of else "") if cell.step else ""
    epoch = f"  epoch {cell.epoch}" if cell.epoch else ""
    share = 1.0 if cell.state == "ok" else cell.share
    percent = f" {share:4.0%}" if share is not None else "  –  "
    return _bar(share or 0.0, room, colour).append(percent + steps + epoch + told)


def _bar(share: float, room: int, colour: str) -> Text:
    """The part that is not filled shows as a thin line, so that its end can be seen."""
    filled = bar(share, room).rstrip()
    return Text().append(filled, colour).append("─" * (room - len(filled)), "dim")


def _curves(cell: CellState, width: int, colour: str) -> RichTable | None:
    """Loss and items a second, side by side; None for a cell that tells neither."""
    told = [("loss", list(cell.losses)), ("items/s", list(cell.rates))]
    told = [(name, values) for name, values in told if len(values) > 1]
    if not told:
        return None
    table = RichTable.grid(padding=(0, 2), expand=True)
    room = width // len(told) - 14
    for _ in told:
        table.add_column(ratio=1)
    table.add_row(*(_curve(name, values, room, colour) for name, values in told))
    return table


def _curve(name: str, values: list[float], room: int, colour: str) -> Text:
    shown = widened(resampled(values, room), room)
    top, low = max(values), min(values)
    base = low - (top - low) * 0.1 if name == "loss" else 0.0
    lines = columns(shown, room, _CURVE_LINES - 1, base, top)
    text = Text(no_wrap=True)
    text.append(f"{name} ", "dim")
    text.append(f"{values[-1]:,.4g}", "bold")
    text.append(f"   {low:,.4g} … {top:,.4g}", "dim")
    for line in lines:
        text.append(f"\n{line}", colour)
    return text
