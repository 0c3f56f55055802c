"""Screen 1: the papers, what this machine can run of each, how much is done."""

from __future__ import annotations

from typing import ClassVar

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.loaders import StudyLine
from tui.screens.base import Page
from tui.states import tally
from tui.text import safe
from tui.widgets.rows import Column, Field, Rows, Table

_COLUMNS = (
    Column("study"), Column("paper", grow=True), Column("runs here", right=True),
    Column("done", right=True),
)  # fmt: skip


class StudiesScreen(Page):
    """A row a study; below it, what the study is."""

    mode = "studies"
    about = "Studies: the papers that can be run again, and how far they are"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plan", "Plan", tooltip="the cells of this study"),
        Binding("r", "results", "Results", tooltip="its tables beside what was measured"),
        Binding("c", "claims", "Claims", tooltip="what its paper claims, and how far it holds"),
        Binding("d", "app.doctor", "Doctor", tooltip="what this machine can run"),
        Binding("v", "app.verify", "Verify", tooltip="check an archive of a run"),
    ]

    def body(self) -> ComposeResult:
        yield Rows(id="studies", nothing="There are no studies.")
        with VerticalScroll(id="about"):
            yield Static(id="text")

    def on_mount(self) -> None:
        self.query_one("#studies", Rows).focus()

    def renew(self) -> None:
        names, lines = self.main_app.data.study_names, self.main_app.data.surveyed
        rows = self.query_one("#studies", Rows)
        rows.styles.height = len(names) + 2
        rows.show(Table(_COLUMNS, len(names), lambda i: _row(names[i], lines.get(names[i]))))
        self._describe()

    def action_plan(self) -> None:
        self._go("plan")

    def action_results(self) -> None:
        self._go("results")

    def action_claims(self) -> None:
        self._go("claims")

    def _go(self, mode: str) -> None:
        self.main_app.data.choose_study(self._study)
        self.main_app.action_go(mode)

    @property
    def _study(self) -> str:
        names = self.main_app.data.study_names
        return names[self.query_one("#studies", Rows).cursor] if names else ""

    @on(Rows.Opened)
    def _opened(self) -> None:
        self.action_plan()

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    def _describe(self) -> None:
        line = self.main_app.data.surveyed.get(self._study)
        text = _about(line) if line else Text("reading …", style="dim")
        self.query_one("#text", Static).update(text)


def _row(name: str, line: StudyLine | None) -> list[Field | str]:
    if line is None:
        return [name, Field("…", "dim"), "", ""]
    study = line.study
    paper = f"{study.title} ({', '.join(study.authors)} {study.year})"
    runs = f"{line.runnable} of {line.cells}" if not line.problem else "no"
    latest = line.runs[0] if line.runs else None
    done = sum(latest.counts.values()) - latest.counts.get("waiting", 0) if latest else 0
    return [name, paper, runs, f"{done} of {sum(latest.counts.values())}" if latest else "–"]


def _about(line: StudyLine) -> Group:
    study = line.study
    head = Text()
    head.append(f"{safe(study.title)}\n", style="bold")
    head.append(f"{safe(', '.join(study.authors))} {study.year}, {safe(study.where)}\n", "dim")
    head.append(f"{safe(study.about, 1000)}\n")
    return Group(head, _facts(line))


def _facts(line: StudyLine) -> RichTable:
    study = line.study
    facts = RichTable(box=None, show_header=False, padding=(0, 2, 0, 0))
    runs = f"{line.runnable} of the {line.cells} cells of tier {line.tier}"
    facts.add_row(Text("runs here", "bold"), Text(safe(line.problem or runs, 1000)))
    for reason, count in line.why_not.items():
        facts.add_row("", Text(f"{count} not: {safe(reason)}"))
    for index, run in enumerate(line.runs[:4]):
        text = f"{run.run.id}: {tally(run.counts)}"
        facts.add_row(Text("runs" if not index else "", "bold"), Text(safe(text)))
    if not line.runs:
        facts.add_row(Text("runs", "bold"), Text("none yet: p shows the cells, s starts them"))
    facts.add_row(Text("paper", "bold"), Text(f"{line.tables} tables, {line.claims} claims"))
    for index, (name, tier) in enumerate(study.tiers.items()):
        text = f"{name}: {safe(tier.summary)}"
        facts.add_row(Text("tiers" if not index else "", "bold"), Text(text))
    facts.add_row(Text("left open", "bold"), Text(f"{len(study.unspecified)} points of the recipe"))
    for item in study.unspecified:
        facts.add_row("", Text(f"{safe(item.what)}: {safe(item.choice)}", "dim"))
    return facts
