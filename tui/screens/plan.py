"""Screen 2: the cells, chosen with the language of ``-k``, started, paused, cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from manifests.plan import PlannedCell
from services.phrases import count
from services.run_options import command_line
from services.shown_commands import show_command
from tui import run_form
from tui.actions.ask import request_for, what_it_takes, what_will_run
from tui.copying import Copied
from tui.narrowing import narrowed
from tui.screens.dialogs import Choice, Form, Question
from tui.screens.narrowed import NarrowedPage
from tui.states import tally
from tui.text import safe
from tui.views.plan import COLUMNS, NOTHING, Entry, Listing
from tui.widgets.rows import Rows, Table


class PlanScreen(NarrowedPage):
    """Groups (a table of the paper each) and their cells."""

    mode = "plan"
    about = "Plan: choose cells and run them"
    rows_id = "cells"
    hint = "words, or as with -k: pytorch and not qat"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", tooltip="run what is marked, or all that is shown"),
        Binding("slash", "filter", "Filter", tooltip="filter as with -k: pytorch and not qat"),
        Binding("a", "mark_all", "All", show=False, tooltip="mark all that is shown, or none"),
        Binding("o", "options", "Options", tooltip="tier, data, claim, engine, resources, folder"),
        Binding("p", "pause", "Pause", tooltip="end after the cells that run now"),
        Binding("X", "cancel", "Cancel", show=False, tooltip="end the running cells now"),
        Binding("R", "rerun", "Re-run", tooltip="run cells again that have a result"),
        Binding("left,h", "fold(True)", "Fold", show=False, tooltip="hide a group's cells"),
        Binding("right,l", "fold(False)", "Unfold", show=False, tooltip="show a group's cells"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._list = Listing(lambda p: self.main_app.run_actions.state_of(p), self._group_of)
        self._shown: list[PlannedCell] = []
        self._shown_for: object = None

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Rows(id="cells", nothing="No cells.", marks=True)
        yield self.filter_box()
        yield Static(id="details")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Nothing can be paused or cancelled while nothing runs."""
        return self.main_app.run_actions.may(action) if action in ("pause", "cancel") else True

    def on_mount(self) -> None:
        self.query_one("#cells", Rows).focus()

    def renew(self) -> None:
        prepared = self.main_app.data.prepared
        if prepared is not self._shown_for:
            self._shown_for = prepared
            self._list.entitle(prepared.chosen if prepared else ())
            self._keep(prepared.chosen if prepared else (), "")
        if prepared is None:
            text = self.main_app.data.plan_problem or "planning …"
            self.query_one("#summary", Static).update(Text(safe(text, 2000)))
            self.query_one("#cells", Rows).show(NOTHING)
            return
        self._arrange()

    def beat(self) -> None:
        self.query_one("#cells", Rows).refresh_rows()
        self._summarise()

    def narrow(self, text: str) -> str:
        prepared = self.main_app.data.prepared
        if prepared is None:
            return ""
        found = narrowed(text, prepared.chosen)
        if not found.problem:
            self._keep(found.cells, text)
            self._arrange()
        return found.problem

    def copies(self) -> Sequence[Copied]:
        data, entry = self.main_app.data, self._entry
        if data.planned is None:
            return ()
        found = [Copied("m", "the command that runs this plan", self._command())]
        planned = entry.planned if entry else None
        if planned is not None and data.states.get(planned.id, ("waiting", ""))[0] != "waiting":
            shows = show_command(data.planned.prepared.run, planned.id)
            found.append(Copied("c", "the command that shows this cell", shows))
        if planned is not None:
            found.append(Copied("i", "the cell's id", planned.id))
            found.append(Copied("r", "the cell in words", planned.cell.title))
        return found

    def action_mark_all(self) -> None:
        shown = {p.id for entry in self._list.entries for p in entry.cells}
        marked = self.main_app.data.marked
        self.main_app.data.marked = marked - shown if shown <= marked else marked | shown
        self.beat()

    def action_fold(self, folded: bool) -> None:
        entry = self._entry
        if entry is None:
            return
        group = self._list.fold(entry, folded)
        self._arrange()
        groups = [e.group for e in self._list.entries]
        if folded and group in groups:
            self.query_one("#cells", Rows).cursor = groups.index(group)

    def action_start(self) -> None:
        self._ask_to_run(self._chosen(), ())

    def action_rerun(self) -> None:
        """Asks first: the results there are will be put aside."""
        states = self.main_app.data.states
        marked = self._marked() or list(self._entry.cells if self._entry else ())
        cells = [p for p in marked if states.get(p.id, ("waiting", ""))[0] != "waiting"]
        if not cells:
            self.notify("Nothing marked here has a result yet; s starts what has none.")
            return
        self._ask_to_run(cells, tuple(planned.id for planned in cells))

    def action_pause(self) -> None:
        self.main_app.run_actions.pause()

    def action_cancel(self) -> None:
        self.main_app.run_actions.ask_to_cancel()

    def action_options(self) -> None:
        data = self.main_app.data
        line = data.surveyed.get(data.study)
        study = data.prepared.study if data.prepared else line.study if line else None
        if study is None:
            return
        options = data.options
        self.app.push_screen(
            Form(
                "Run options",
                run_form.fields(options, study, data.prepared),
                "Apply",
                check=lambda answers: run_form.problem(options, answers),
                live=lambda answers: run_form.would_take(options, answers),
            ),
            self._take_options,
        )

    def _take_options(self, answers: dict[str, str] | None) -> None:
        if answers is not None:
            before = self.main_app.data.request.run_dir
            options = run_form.chosen(self.main_app.data.options, answers)
            self.main_app.data.plan(options)
            if options.request.run_dir not in (None, before):
                self.main_app.data.show_run(options.request.run_dir)

    def undo(self) -> bool:
        """Escape closes the filter, then takes it away, then a claim or sample. Whether it did."""
        if super().undo():
            return True
        options = self.main_app.data.options
        if options.claim or options.sample:
            self.main_app.data.plan(options._replace(claim="", sample=False))
            return True
        return False

    @on(Rows.Marked)
    def _mark(self, event: Rows.Marked) -> None:
        if event.index >= len(self._list.entries):
            return
        cells = {planned.id for planned in self._list.entries[event.index].cells}
        marked = self.main_app.data.marked
        self.main_app.data.marked = marked - cells if cells <= marked else marked | cells
        self.beat()

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        entry = self._list.entries[event.index] if event.index < len(self._list.entries) else None
        if entry is None:
            return
        if entry.planned is None:
            self.action_fold(not self._list.folds(entry))
        elif self.main_app.data.prepared is not None:
            self.main_app.open_manifest(self.main_app.data.prepared.run, entry.planned.id)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    @property
    def _entry(self) -> Entry | None:
        cursor = self.query_one("#cells", Rows).cursor
        return self._list.entries[cursor] if cursor < len(self._list.entries) else None

    def _group_of(self, planned: PlannedCell) -> str:
        return self.main_app.data.groups.get(planned.id, "cells")

    def _keep(self, cells: Sequence[PlannedCell], text: str) -> None:
        self._shown, self.narrowed_by = list(cells), text

    def _marked(self) -> list[PlannedCell]:
        marked = self.main_app.data.marked
        prepared = self.main_app.data.prepared
        return [p for p in prepared.chosen if p.id in marked] if prepared else []

    def _chosen(self) -> list[PlannedCell]:
        return self._marked() or self._shown

    def _arrange(self) -> None:
        self._list.arrange(self._shown)
        self.query_one("#cells", Rows).show(
            Table(COLUMNS, len(self._list.entries), self._list.row, self._is_marked)
        )
        self._summarise()
        self._describe()

    def _is_marked(self, index: int) -> bool:
        marked = self.main_app.data.marked
        return bool(marked) and all(
            planned.id in marked for planned in self._list.entries[index].cells
        )

    def _summarise(self) -> None:
        prepared = self.main_app.data.prepared
        if prepared is None:
            return
        plan = prepared.plan
        counts: dict[str, int] = {}
        for planned in prepared.chosen:
            name = self.main_app.run_actions.state_of(planned)[0]
            counts[name] = counts.get(name, 0) + 1
        text = Text(f"{plan.study} · tier {plan.tier} · {plan.dataset}", style="bold")
        for words in run_form.narrowing(self.main_app.data.options):
            text.append(f"   {safe(words)}", style="italic not bold")
        text.append(f"   {tally(counts)}", style="not bold")
        marked = self._marked()
        if marked:
            text.append(f"   {len(marked)} marked", style="bold")
        if self.narrowed_by:
            text.append(f"   filter: {safe(self.narrowed_by)}", style="italic")
        self.query_one("#summary", Static).update(text)

    def _describe(self) -> None:
        entry = self._entry
        text = self._list.describe(entry) if entry is not None else Text()
        self.query_one("#details", Static).update(text)

    def _command(self) -> str:
        """Of all that is shown, or of what is marked."""
        options = self.main_app.data.options
        texts = run_form.texts(options)
        prepared = self.main_app.data.prepared
        chosen = self._chosen()
        if prepared is not None and len(chosen) < len(prepared.chosen):
            texts["expression"] = f"id={','.join(planned.id for planned in chosen)}"
            texts["claim"] = texts["sample"] = ""
        return command_line(options.request.study, texts)

    def _ask_to_run(self, cells: list[PlannedCell], rerun: tuple[str, ...]) -> None:
        data = self.main_app.data
        if self.main_app.refused("Running cells") or data.planned is None:
            return
        request, prepared = data.planned.request, data.planned.prepared
        awaited = ("running", "queued")
        todo = [p for p in what_will_run(prepared, cells, rerun)
                if self.main_app.run_actions.state_of(p)[0] not in awaited]  # fmt: skip
        if not todo:
            self.notify("Every one of these cells has a result or waits for one. R runs it again.")
            return
        busy = self.main_app.live.queue.active
        request = request_for(request, prepared, cells, rerun)
        lines = what_it_takes(request, prepared, cells, todo, busy)
        verb = "Run again" if rerun else "Queue" if busy else "Start"
        self.app.push_screen(
            Question(
                f"{verb}: {count(len(todo), 'cell')}",
                lines,
                [Choice("y", verb, "yes", danger=bool(rerun))],
            ),
            lambda answer: self.main_app.run_actions.start(request) if answer == "yes" else None,
        )
