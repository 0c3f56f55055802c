"""What runs, in words, bars and curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from services.phrases import duration
from tui.charts import bar, curve
from tui.states import state
from tui.text import clock, fitted, safe
from tui.titles import Titles
from tui.widgets.tables import Column, Field, Row, Table

if TYPE_CHECKING:
    from orchestrator.running.request import Request
    from services.run_state import CellState, RunState
    from tui.app_base import AppBase
    from tui.live import Live

LEAST_CURVE_LINES, MOST_CURVE_LINES = 3, 8
_QUEUE = (Column("cell", grow=True), Column("time", right=True), Column("state", most=15))


def progress(run: RunState, now_s: float, width: int, app: AppBase, place: str = "") -> Text:
    """What runs and where, and two bars: the cell's phase, and the whole run."""
    cell = run.shown
    if cell is None:
        return _labelled("now", Text(safe(_work(run) or app.live.idle_words), "bold"))
    others = f"  and {len(run.running) - 1} more" if len(run.running) > 1 else ""
    title = Text(safe(cell.planned.cell.title) + others, "bold")
    if cell.state != "running":
        title.append(f"  {state(cell.state).text}", "not bold")
    room = max(8, min(40, width - 58))
    lines = [
        _labelled("now", title),
        _labelled(cell.phase or "–", _phase(cell, now_s, room, app.paint("primary"))),
        _labelled("run", _whole(run, now_s, room, app.paint("success"))),
    ]
    if place:
        lines.insert(1, _labelled("where", Text(safe(place))))
    if run.aim and not run.outcome:
        lines.append(_labelled("again", Text(safe(run.aim))))
    return Text("\n").join(lines)


def queue_table(order: Sequence[CellState], waiting: Sequence[Request], live: Live) -> Table:
    """The cells of the run in their order, then the requests behind it."""
    titles = Titles([cell.planned for cell in order])

    def row(index: int) -> Row:
        if index >= len(order):
            request = waiting[index - len(order)]
            what = f"then {request.study}, tier {request.tier}"
            return [Field(what, "dim"), "", state("queued")]
        cell = live.run_state.cells.get(order[index].planned.id, order[index])
        took = cell.took_s if cell.state not in ("waiting", "running") else 0.0
        if cell.state == "running":
            took = live.now_s - cell.began_s
        shown = clock(took) if took else Field(f"~{duration(cell.planned.estimate_s)}", "dim")
        return [titles.of(cell.planned.cell), shown, state(cell.state)]

    return Table(_QUEUE, len(order) + len(waiting), row)


def log_words(run: RunState, now_s: float, active: bool) -> str:
    """What stands in a log without lines: what is happening instead."""
    cell = run.shown
    if cell is None:
        return "no line yet: nothing has been started" if not active else "no line yet: preparing"
    if cell.state == "running":
        since = clock(now_s - cell.began_s)
        phase = f"phase {cell.phase}" if cell.phase else "starting"
        step = f", step {cell.step:,}" if cell.step else ""
        return f"no line yet: {phase}{step}, {since} since it began; it prints when it has to"
    told = state(cell.state).text
    return f"it printed nothing: {told}" + (f", {cell.reason}" if cell.reason else "")


def curves(cell: CellState, width: int, lines: int, colours: Sequence[str]) -> list[Text]:
    """Loss and items a second, side by side; none for a cell that tells neither."""
    told = [("loss", list(cell.losses)), ("items/s", list(cell.rates))]
    told = [(name, values) for name, values in told if len(values) > 1]
    if not told:
        return []
    room = max(8, width // len(told) - 3)
    drawn = [
        _curve(name, values, room, lines, colour)
        for (name, values), colour in zip(told, colours, strict=False)
    ]
    return [Text("   ").join(parts) for parts in zip(*drawn, strict=True)]


def _curve(name: str, values: list[float], room: int, lines: int, colour: str) -> list[Text]:
    """A head with the latest value, then the columns; each ``room`` wide."""
    top, low = max(values), min(values)
    base = low if name == "loss" else 0.0
    head = Text(f"{name} ", "dim").append(f"{values[-1]:,.4g}", "bold not dim")
    head.append(f"   {low:,.4g} … {top:,.4g}", "dim not bold")
    head.truncate(room)
    head.pad_right(room - head.cell_len)
    return [head, *(Text(line, colour) for line in curve(values, room, lines, base, top))]


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
