"""Starting a study: how much of it, what that would take, and the command that does the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Static
from textual.worker import get_current_worker

from papers.study import Study
from services.plan_words import PlanWords, plan_words
from services.run_options import command_line
from services.selection import RunOptions
from tui import run_form
from tui.screens.dialog_base import Dialog
from tui.text import error_text, safe
from tui.widgets.rows import Column, Field, Rows, Table

START, OPTIONS, PLAN = "start", "options", "plan"


class Way(NamedTuple):
    """A way to start the study."""

    name: str
    about: str
    options: RunOptions


class Chosen(NamedTuple):
    """``what`` is START, OPTIONS or PLAN."""

    what: str
    options: RunOptions


@dataclass
class Planned(Message):
    """What one of the ways would take, or why it can't be planned."""

    index: int
    words: PlanWords | None
    problem: str = ""


def ways(options: RunOptions, study: Study) -> Iterator[Way]:
    """What was chosen before, a sample, each tier, each experiment."""
    request = options.request._replace(study=study.id, expression="", experiment=(), run_dir=None)
    plain = RunOptions(request)
    if options.request.study == study.id and options not in (plain, RunOptions(request)):
        yield Way("as planned", "what screen 2 has now", options)
    quick = "quick" if "quick" in study.tiers else next(iter(study.tiers))
    small = plain._replace(request=request._replace(tier=quick), sample=True)
    yield Way("a sample", "the quickest cell of each environment", small)
    for name, tier in study.tiers.items():
        yield Way(f"tier {name}", tier.summary, RunOptions(request._replace(tier=name)))
    for name in study.experiments():
        asked = request._replace(tier=quick, experiment=(name,))
        yield Way(f"experiment {name}", f"in tier {quick}", RunOptions(asked))


class Start(Dialog[Chosen | None]):
    """y starts what the cursor is on, enter shows its cells, o opens every option."""

    DEFAULT_CSS = """
    Start Rows { height: auto; max-height: 12; min-height: 3; }
    Start #takes { padding: 1 0 0 0; height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "choose('start')", "Start"),
        Binding("o", "choose('options')", "Options"),
        Binding("escape", "leave", "Cancel"),
    ]

    def __init__(self, study: Study, options: RunOptions) -> None:
        super().__init__()
        self._study = study
        self._ways = list(ways(options, study))
        self._found: dict[int, Planned] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Text(f"Start {safe(self._study.id)}"), classes="title")
            yield Rows(id="ways")
            yield Static(id="takes")
            with Horizontal(classes="buttons"):
                yield Button("Start (y)", id="start", variant="primary", compact=True)
                yield Button("All options (o)", id="options", compact=True)
                yield Button("Its cells (enter)", id="plan", compact=True)
                yield Button("Cancel (esc)", id="leave", compact=True)

    def on_mount(self) -> None:
        rows = self.query_one(Rows)
        rows.styles.height = min(12, len(self._ways) + 1)
        self._show()
        rows.focus()
        self.run_worker(self._plan_all, thread=True, exclusive=True, exit_on_error=False)

    def _plan_all(self) -> None:
        """On a thread, one after another."""
        from tui.loaders import read_plan

        for index, way in enumerate(self._ways):
            if get_current_worker().is_cancelled:
                return
            try:
                planned = read_plan(way.options)
                states = {id_: state for id_, (state, _) in planned.states.items()}
                found = Planned(index, plan_words(planned.prepared, states))
            except Exception as error:  # said in its row
                found = Planned(index, None, error_text(error))
            self.post_message(found)

    def on_planned(self, message: Planned) -> None:
        self._found[message.index] = message
        self._show()

    def _show(self) -> None:
        columns = (
            Column("how much", grow=True), Column("cells", most=34), Column("about", most=16),
        )  # fmt: skip
        self.query_one(Rows).show(Table(columns, len(self._ways), self._row))
        self._describe()

    def _row(self, index: int) -> list[Field | str]:
        way, found = self._ways[index], self._found.get(index)
        if found is None:
            told: Sequence[Field | str] = (Field("planning …", "dim"), "")
        elif found.words is None:
            told = (Field("can't be planned", "warn"), "")
        else:
            told = (found.words.cells, found.words.time)
        return [Field(way.name, "strong"), *told]

    @on(Rows.Moved)
    def _describe(self) -> None:
        row = self.query_one(Rows).cursor
        found = self._found.get(row)
        text = Text(f"{safe(self._ways[row].about)}\n")
        if found is not None and found.words is None:
            text.append(f"{safe(found.problem, 1000)}\n")
        for line in found.words.rest if found is not None and found.words else ():
            text.append(f"{safe(line, 400)}\n", "dim")
        text.append(self._command(row), "bold")
        self.query_one("#takes", Static).update(text)

    def _command(self, row: int) -> str:
        options = self._ways[row].options
        return safe(command_line(options.request.study, run_form.texts(options)), 1000)

    @on(Rows.Opened)
    def _opened(self) -> None:
        self.action_choose(PLAN)

    @on(Button.Pressed)
    def _pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "leave":
            self.action_leave()
        else:
            self.action_choose(event.button.id or PLAN)

    def action_choose(self, what: str) -> None:
        self.dismiss(Chosen(what, self._ways[self.query_one(Rows).cursor].options))

    def action_leave(self) -> None:
        self.dismiss(None)
