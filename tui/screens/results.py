"""Screen 4: the paper's tables, published and measured side by side."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, Static, Tab, Tabs

from comparisons.comparison import Comparison
from comparisons.number_flags import named
from comparisons.render import values
from manifests.plan import PlannedCell
from manifests.select import SelectionError, Selector
from tui.loaders import ShownRun, in_order
from tui.screens.base import Page
from tui.screens.dialogs import Asked, Form
from tui.screens.picker import Pick
from tui.states import tally
from tui.text import MARK, safe
from tui.views.results import VIEWS, cells_table, line_of, table_of
from tui.widgets.rows import EMPTY, Rows

CELLS = "cells"


class ResultsScreen(Page):
    """A tab a table, and one with all cells."""

    mode = "results"
    about = "Results: published beside measured"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "view", "View", tooltip="numbers, ratios or a chart"),
        Binding("r", "runs", "Runs", tooltip="another run, or two to compare"),
        Binding("y", "copy", "Copy", tooltip="copy what is shown, as Markdown"),
        Binding("e", "export", "Export", tooltip="write tables to a file"),
        Binding("w", "app.report", "Report", tooltip="write a report of this run"),
        Binding("b", "app.bundle", "Bundle", show=False, tooltip="bundle this run as an archive"),
        Binding("slash", "filter", "Filter", tooltip="filter the cells as with -k"),
        Binding("left_square_bracket", "tab(-1)", "Tab", show=False, tooltip="the table before"),
        Binding("right_square_bracket", "tab(1)", "Tab", tooltip="the next table"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = VIEWS[0]
        self._results: ShownRun | None = None
        self._current = ""
        self._cells: list[PlannedCell] = []
        self._expression = ""
        self._tabs: dict[str, str] = {}
        self._arranging = asyncio.Lock()

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Tabs(id="tables")
        yield Rows(id="rows", nothing="Nothing to show.")
        yield Input(id="filter", placeholder="filter as with -k: pytorch and not qat", compact=True)
        yield Static(id="details")

    def on_mount(self) -> None:
        self.query_one("#rows", Rows).focus()

    def renew(self) -> None:
        results = self.main_app.data.results
        if results is None:
            self._results = None
            text = self.main_app.data.results_problem or "reading …"
            self.query_one("#summary", Static).update(Text(safe(text, 2000)))
            self.query_one("#rows", Rows).show(EMPTY)
            self.query_one("#details", Static).update("")
        elif results is not self._results:
            self._results = results
            self._summarise(results)
            self._show()
            self.run_worker(self._arrange_tabs(), group="tabs")

    async def _arrange_tabs(self) -> None:
        """A tab a table of the shown run. Tabs come and go by and by: one change at a time."""
        tabs = self.query_one(Tabs)
        async with self._arranging:
            comparisons = self._results.comparisons if self._results else []
            names = {c.id: c.place.partition(",")[0] for c in comparisons}
            if not self._results or names == self._tabs:
                return
            self._tabs = names
            await tabs.clear()
            for id_, place in names.items():
                await tabs.add_tab(Tab(Text(safe(place, 24)), id=f"tab-{id_}"))
            await tabs.add_tab(Tab("All cells", id=f"tab-{CELLS}"))

    def _summarise(self, results: ShownRun) -> None:
        plan = results.plan
        counts = {"waiting": len(plan.cells) - len(results.manifests)}
        for manifest in results.manifests.values():
            counts[manifest.status] = counts.get(manifest.status, 0) + 1
        text = Text(f"run {safe(results.run.id)}", style="bold")
        text.append(f"   tier {plan.tier} · {plan.dataset} · {plan.protocol}   ", "not bold")
        text.append(tally(counts), "not bold")
        if results.warnings:
            text.append(f"   {len(results.warnings)} unreadable", "bold")
        self.query_one("#summary", Static).update(text)

    @property
    def comparison(self) -> Comparison | None:
        """The table that is shown; None for the tab of all cells."""
        comparisons = self._results.comparisons if self._results else []
        return next((c for c in comparisons if c.id == self._current), None)

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._current = (event.tab.id or "").removeprefix("tab-")
        self._show(cursor=0)

    def _show(self, cursor: int | None = None) -> None:
        if self._results is None:
            return
        rows = self.query_one("#rows", Rows)
        comparison = self.comparison
        if comparison is not None:
            rows.show(table_of(comparison, self.view), cursor)
        else:
            self._cells = self._selected(self._results)
            rows.show(cells_table(self._cells, self._results.manifests), cursor)
        self._describe()

    def _selected(self, results: ShownRun) -> list[PlannedCell]:
        selector = Selector(self._expression)
        chosen = {p.id for p in results.plan.cells if selector.accepts(p.cell)}
        return in_order(results.plan, chosen)

    def _describe(self) -> None:
        """What the title and the footnotes of a printed table say."""
        text = Text()
        comparison = self.comparison
        row = self.query_one("#rows", Rows).cursor
        if comparison is not None:
            text.append(f"{safe(comparison.title)}", "bold")
            text.append(f" ({safe(comparison.place)})   {self.view}\n", "dim")
            line = line_of(comparison, self.view, row)
            state = safe(values.one_line(line.state)) if line and line.measured is None else ""
            flags = f"flags: {safe(named(line.flagged), 1000)}" if line and line.flagged else ""
            told = state or flags
            note = told or safe(comparison.note, 1000) or safe(comparison.scope_note, 1000)
            text.append(note, "" if told else "dim")
        elif self._cells and row < len(self._cells) and self._results:
            cell = self._cells[row]
            manifest = self._results.manifests.get(cell.id)
            text.append(f"cell {cell.id}", "bold")
            names = dict.fromkeys(flag.name for flag in manifest.flags) if manifest else ()
            text.append(f"   {MARK} {safe(', '.join(names), 400)}" if names else "", "not bold")
            text.append(f"\n{safe(manifest.reason if manifest else cell.skip, 1000)}")
        self.query_one("#details", Static).update(text)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        if self._results is None:
            return
        comparison = self.comparison
        if comparison is None:
            if event.index < len(self._cells):
                self.main_app.open_manifest(self._results.run, self._cells[event.index].id)
            return
        line = line_of(comparison, self.view, event.index)
        if line is not None and len(line.cells) == 1:
            self.main_app.open_manifest(self._results.run, line.cells[0])
        elif line is not None and line.cells:
            run = self._results.run
            titles = {p.id: p.cell.title for p in self._results.plan.cells}
            found = [(id_, f"{titles.get(id_, id_)}   {id_}") for id_ in line.cells]
            self.app.push_screen(
                Pick("The cells behind this number", found),
                lambda ids: self.main_app.open_manifest(run, ids[0]) if ids else None,
            )

    def action_view(self) -> None:
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self._show(cursor=0)

    def action_tab(self, by: int) -> None:
        tabs = self.query_one(Tabs)
        (tabs.action_next_tab if by > 0 else tabs.action_previous_tab)()

    def action_runs(self) -> None:
        line = self.main_app.data.surveyed.get(self.main_app.data.request.study)
        runs = line.runs if line else []
        found = [(str(r.run.folder), f"{r.run.id}   {tally(r.counts)}") for r in runs]
        self.app.push_screen(
            Pick("Runs: enter shows one; mark two with space to compare them", found, most=2),
            self._take_runs,
        )

    def _take_runs(self, folders: list[str] | None) -> None:
        if folders and len(folders) == 2:
            self.main_app.data.compare(Path(folders[1]), Path(folders[0]))
        elif folders:
            self.main_app.data.show_run(Path(folders[0]))

    def action_filter(self) -> None:
        tabs = self.query_one(Tabs)
        if self._results is None or tabs.get_tab(f"tab-{CELLS}") is None:
            self.notify("There are no cells to filter yet.")
            return
        tabs.active = f"tab-{CELLS}"
        box = self.query_one("#filter", Input)
        box.value = self._expression
        box.add_class("open")
        box.focus()

    def undo(self) -> bool:
        box = self.query_one("#filter", Input)
        if not box.has_class("open"):
            return False
        box.remove_class("open")
        self.query_one("#rows", Rows).focus()
        return True

    @on(Input.Submitted, "#filter")
    def _filtered(self, event: Input.Submitted) -> None:
        if self._results is None:
            return
        try:
            Selector(event.value.strip()).choose([p.cell for p in self._results.plan.cells])
        except SelectionError as error:
            self.notify(safe(str(error), 1000), severity="error", markup=False, timeout=8)
            return
        self._expression = event.value.strip()
        self.undo()
        self._show(cursor=0)

    def action_copy(self) -> None:
        from comparisons.render import TEXT_FORMATS

        shown = self._exported(self._current)
        if shown:
            self.app.copy_to_clipboard(TEXT_FORMATS["md"](shown))
            self.notify("Copied as Markdown.")

    def action_export(self) -> None:
        from comparisons.render import TEXT_FORMATS

        if self._results is None or self.main_app.refused("Writing files"):
            return
        ids = tuple(c.id for c in self._results.comparisons)
        current = self._current if self._current in ids else "all"
        fields = [
            Asked("path", "file", "", (), str(self._results.run.folder / "FILE")),
            Asked("table", "table", current, ("all", *ids)),
            Asked("format", "format", "md", tuple(TEXT_FORMATS)),
        ]
        self.app.push_screen(
            Form(
                "Export tables", fields, "Write", "An empty name: beside the run, as TABLE.FORMAT"
            ),
            self._write,
        )

    def _exported(self, wanted: str) -> list[Comparison]:
        comparisons = self._results.comparisons if self._results else []
        return [c for c in comparisons if wanted in ("all", CELLS, c.id)]

    def _write(self, answers: dict[str, str] | None) -> None:
        if answers is None or self._results is None:
            return
        name = f"{answers['table']}.{answers['format']}"
        path = Path(answers["path"]).expanduser() if answers["path"] else None
        self.main_app.export_actions.tables(
            self._results,
            self._exported(answers["table"]),
            answers["format"],
            path or self._results.run.folder / name,
        )
