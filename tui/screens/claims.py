"""Screen 6: what the paper claims and whether it holds, and what its numbers say of each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static, Tab, Tabs

from services.phrases import count
from tui.actions.deciding import decision
from tui.copying import Copied
from tui.narrowing import with_words
from tui.screens.dialogs import Choice, Question
from tui.screens.full import Full
from tui.screens.narrowed import NarrowedPage
from tui.screens.picker import Pick
from tui.text import safe
from tui.views import claims
from tui.widgets.rows import EMPTY, Rows

if TYPE_CHECKING:
    from comparisons.audit import Finding
    from comparisons.claims import Judged
    from tui.loaders import Judgement

CLAIMS, AUDIT = "claims", "audit"


class ClaimsScreen(NarrowedPage):
    """A tab with the claims, and one with the findings of the audit."""

    mode = "claims"
    about = "Claims: what the paper says, and how far it holds"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "plan", "Plan", tooltip="plan the cells that this claim needs"),
        Binding("d", "decide", "Decide", tooltip="run what would decide this claim"),
        Binding("c", "cells", "Cells", tooltip="the cells behind this claim"),
        Binding("y", "copy", "Copy", tooltip="copy a verdict, its citation, or the command"),
        Binding("left_square_bracket", "tab(-1)", "Tab", show=False, tooltip="the tab before"),
        Binding("right_square_bracket", "tab(1)", "Tab", tooltip="the next tab"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._current = CLAIMS
        self._shown: Judgement | None = None

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Tabs(Tab("Claims", id=CLAIMS), Tab("Audit", id=AUDIT))
        yield Rows(id="rows", nothing="Nothing to show.")
        yield self.filter_box()
        yield Static(id="details")

    def on_mount(self) -> None:
        self.query_one("#rows", Rows).focus()

    def renew(self) -> None:
        self.main_app.data.need_judgement()
        judgement = self.main_app.data.judgement
        if judgement is not self._shown or judgement is None:
            self._shown = judgement
            self._show()
        self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        """To the claim that was asked for by its name, once it is there."""
        wanted = self.main_app.data.wanted_claim
        numbers = [one.number for one in self.claims]
        if wanted not in numbers:
            return
        self.main_app.data.wanted_claim = ""
        if self._current == CLAIMS:
            self.query_one("#rows", Rows).cursor = numbers.index(wanted)
            self._describe()
        else:
            self.query_one(Tabs).active = CLAIMS

    @property
    def claims(self) -> list[Judged]:
        """Those that the filter leaves; none while they are being read."""
        found = self._shown.evidence if self._shown else None
        return with_words(self.narrowed_by, found.claims, claims.searched) if found else []

    @property
    def findings(self) -> list[Finding]:
        """What the audit has found."""
        report = self._shown.report if self._shown else None
        every = report.findings if report else []
        return with_words(self.narrowed_by, every, claims.finding_searched)

    @property
    def claim(self) -> Judged | None:
        """The claim under the cursor, where claims are shown."""
        row = self.query_one("#rows", Rows).cursor
        return self.claims[row] if self._current == CLAIMS and row < len(self.claims) else None

    @property
    def finding(self) -> Finding | None:
        """The finding under the cursor, where they are shown."""
        row = self.query_one("#rows", Rows).cursor
        return self.findings[row] if self._current == AUDIT and row < len(self.findings) else None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A finding has no cells."""
        return self._current == CLAIMS if action in ("plan", "cells", "decide") else True

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._current = event.tab.id or CLAIMS
        self.narrowed_by = ""
        self.refresh_bindings()
        self._show(cursor=0)

    def on_resize(self) -> None:
        if self.settled:
            self._show()

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    @on(Rows.Opened)
    def _opened(self) -> None:
        if self.claim is not None:
            judged = self.claim
            title = f"{judged.number} ({judged.claim.id})"
            choices = [
                Choice("d", "Decide it", "decide"),
                Choice("p", "Plan its cells", "plan"),
                Choice("c", "Its cells", "cells"),
            ]
            self.app.push_screen(Full(title, claims.claim_text(judged), choices), self._answer)
        elif self.finding is not None:
            text = claims.finding_text(self.finding)
            self.app.push_screen(Full(self.finding.id, text))

    def action_tab(self, by: int) -> None:
        tabs = self.query_one(Tabs)
        (tabs.action_next_tab if by > 0 else tabs.action_previous_tab)()

    def action_plan(self) -> None:
        if self.claim is not None:
            self.main_app.data.plan_claim(self.claim.number)

    def action_decide(self) -> None:
        """Ask with the command that does the same; what runs shows on screen 3."""
        data = self.main_app.data
        if self.claim is None or self.main_app.refused("Running cells"):
            return
        found = decision(self.claim, data.options, data.results)
        options = found.options
        if options is None:
            self.notify(safe(found.lines[0], 1000), markup=False, timeout=8)
            return
        self.app.push_screen(
            Question(f"Decide {self.claim.number}", found.lines, [Choice("y", "Start", "yes")]),
            lambda answer: data.plan_and_start(options) if answer == "yes" else None,
        )

    def action_cells(self) -> None:
        """Where the numbers of this claim come from."""
        results = self.main_app.data.results
        if self.claim is None:
            return
        if results is None or not self.claim.cells:
            self.notify("No cell of a run stands behind this claim.")
            return
        run = results.run
        titles = {planned.id: planned.cell.title for planned in results.plan.cells}
        found = [(id_, f"{titles.get(id_, '')}   {id_}") for id_ in self.claim.cells]
        self.app.push_screen(
            Pick("The cells behind this claim", found),
            lambda ids: self.main_app.open_manifest(run, ids[0]) if ids else None,
        )

    def narrow(self, text: str) -> str:
        before, self.narrowed_by = self.narrowed_by, text
        if text and not (self.claims if self._current == CLAIMS else self.findings):
            self.narrowed_by = before
            return f"nothing here has {text!r}"
        self._show(cursor=0)
        return ""

    def copies(self) -> Sequence[Copied]:
        if self._shown is None:
            return ()
        results = self.main_app.data.results
        run = results.run if results is not None else None
        if self._current == CLAIMS:
            return claims.claim_copies(self._shown, run, self.claim)
        return claims.finding_copies(self._shown, self.finding)

    def _answer(self, answer: str | None) -> None:
        if answer == "plan":
            self.action_plan()
        elif answer == "cells":
            self.action_cells()
        elif answer == "decide":
            self.action_decide()

    def _show(self, cursor: int | None = None) -> None:
        width = self.size.width
        table = EMPTY
        if self._current == CLAIMS and self.claims:
            table = claims.claims_table(self.claims, width)
        elif self._current == AUDIT and self.findings:
            table = claims.findings_table(self.findings, width)
        self.query_one("#rows", Rows).show(table, cursor)
        self.query_one("#summary", Static).update(self._summary())
        self._describe()

    def _summary(self) -> Text:
        shown = self._shown
        if shown is None:
            return Text("judging …")
        found = shown.evidence
        run = f"run {safe(found.run)}" if found and found.run else safe(shown.study)
        text = Text(run if self._current == CLAIMS else safe(shown.study), "bold")
        problem = shown.problems.get(self._current)
        if problem:
            return text.append(f"   {safe(problem, 1000)}", "not bold")
        if self._current == AUDIT and shown.report:
            checked = sum(shown.report.checked.values())
            told = f"{count(len(self.findings), 'finding')} in {checked:,} numbers checked"
            return text.append(f"   {told}", "not bold")
        told = claims.tally_of(self.claims, found.scope) if found else ""
        return text.append(f"   {safe(told)}", "not bold")

    def _describe(self) -> None:
        text = Text()
        if self.claim is not None:
            text = claims.claim_lines(self.claim)
        elif self.finding is not None:
            text = claims.finding_lines(self.finding)
        elif self._shown is not None:
            text = Text(safe(self._shown.problems.get(self._current, ""), 1000))
        self.query_one("#details", Static).update(text)
