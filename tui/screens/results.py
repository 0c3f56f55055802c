"""Screen 4: the paper's tables, published and measured side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static, Tab, Tabs

from comparisons.comparison import Comparison
from manifests.plan import PlannedCell
from tui.copying import Copied
from tui.loaded import MOST_COMPARED
from tui.loaders import ShownRun
from tui.narrowing import narrowed, with_words
from tui.screens.narrowed import NarrowedPage
from tui.screens.picker import Pick
from tui.states import tally
from tui.text import safe
from tui.views import result_words
from tui.views.results import VIEWS, cells_table, line_of, table_of
from tui.widgets.rows import EMPTY, Rows

CELLS = "cells"


class ResultsScreen(NarrowedPage):
    """A tab a table, and one with all cells."""

    mode = "results"
    about = "Results: published beside measured"
    hint = "words of a row; in All cells as with -k: pytorch and not qat"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "view", "View", tooltip="numbers, ratios or a chart"),
        Binding("r", "runs", "Runs", tooltip="another run, or several to compare"),
        Binding("y", "copy", "Copy", tooltip="copy a number, its citation, a row, or the command"),
        Binding("e", "export", "Export", tooltip="write tables to a file"),
        Binding("w", "app.report", "Report", tooltip="write a report of this run"),
        Binding("b", "app.bundle", "Bundle", show=False, tooltip="bundle this run as an archive"),
        Binding("slash", "filter", "Filter", tooltip="only some rows, while you type"),
        Binding("a", "attempts", "Attempts", show=False, tooltip="earlier attempts at this cell"),
        Binding("o", "curves", "Curves", show=False, tooltip="this row's curves in all runs"),
        Binding("left_square_bracket", "tab(-1)", "Tab", show=False, tooltip="the table before"),
        Binding("right_square_bracket", "tab(1)", "Tab", tooltip="the next table"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.view = VIEWS[0]
        self._results: ShownRun | None = None
        self._current = ""
        self._cells: list[PlannedCell] = []
        self._tabs: dict[str, str] | None = None
        self._arranging = asyncio.Lock()

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Tabs(id="tables")
        yield Rows(id="rows", nothing="Nothing to show.")
        yield self.filter_box()
        yield Static(id="details")

    def on_mount(self) -> None:
        self.query_one("#rows", Rows).focus()
        kept = self.main_app.kept.view
        self.view = kept if kept in VIEWS else self.view

    def on_resize(self) -> None:
        if self.settled:
            self._show()

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
            stays = self._current == CELLS and not self._tabs  # no table was there to be on
            self._tabs = names
            await tabs.clear()
            for id_, place in names.items():
                await tabs.add_tab(Tab(Text(safe(place, 24)), id=f"tab-{id_}"))
            await tabs.add_tab(Tab("All cells", id=f"tab-{CELLS}"))
            if stays:
                tabs.active = f"tab-{CELLS}"

    def _summarise(self, results: ShownRun) -> None:
        plan = results.plan
        counts = {"waiting": len(plan.cells) - len(results.manifests)}
        for manifest in results.manifests.values():
            counts[manifest.status] = counts.get(manifest.status, 0) + 1
        text = Text(f"run {safe(results.run.id)}", style="bold")
        text.append(f"   tier {plan.tier} · {plan.dataset} · {plan.protocol}   ", "not bold")
        text.append(tally(counts), "not bold")
        text.append("" if results.whole else "   tables are being compared …", "dim not bold")
        if results.warnings:
            text.append(f"   {len(results.warnings)} unreadable", "bold")
        self.query_one("#summary", Static).update(text)

    @property
    def comparison(self) -> Comparison | None:
        """The table that is shown, with the lines that the filter leaves; None for all cells."""
        comparisons = self._results.comparisons if self._results else []
        whole = next((c for c in comparisons if c.id == self._current), None)
        if whole is None or not self.narrowed_by:
            return whole
        return whole._replace(
            lines=with_words(self.narrowed_by, whole.lines, result_words.searched)
        )

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._current = (event.tab.id or "").removeprefix("tab-")
        self.narrowed_by = ""
        self._show(cursor=0)

    def narrow(self, text: str) -> str:
        """A table by the words of its lines, the list of cells as with ``-k``."""
        before, self.narrowed_by = self.narrowed_by, text
        problem = self._problem(text)
        if problem:
            self.narrowed_by = before
        else:
            self._show(cursor=0)
        return problem

    def _problem(self, text: str) -> str:
        if self._results is None or not text:
            return ""
        comparison = self.comparison
        if comparison is None:
            return narrowed(text, self._results.plan.cells).problem
        return "" if comparison.lines else f"no line has {text!r}"

    def _show(self, cursor: int | None = None) -> None:
        if self._results is None:
            return
        rows = self.query_one("#rows", Rows)
        comparison = self.comparison
        if comparison is not None:
            plan = self._results.plan
            rows.show(table_of(comparison, self.view, self.size.width, plan), cursor)
        else:
            self._cells = narrowed(self.narrowed_by, self._results.plan.cells).cells
            rows.show(cells_table(self._cells, self._results.manifests), cursor)
        self._describe()

    def _describe(self) -> None:
        """What the title and the footnotes of a printed table say."""
        comparison = self.comparison
        row = self.query_one("#rows", Rows).cursor
        text = Text()
        if comparison is not None:
            line = line_of(comparison, self.view, row)
            text = result_words.about_line(comparison, line, self.view)
        elif self._results and row < len(self._cells):
            cell = self._cells[row]
            text = result_words.about_cell(cell, self._results.manifests.get(cell.id))
        self.query_one("#details", Static).update(text)

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        if self._results is None:
            return
        ids = self._cells_at(event.index)
        if len(ids) == 1:
            self.main_app.open_manifest(self._results.run, ids[0])
        elif ids:
            run = self._results.run
            titles = {p.id: p.cell.title for p in self._results.plan.cells}
            found = [(id_, f"{titles.get(id_, id_)}   {id_}") for id_ in ids]
            self.app.push_screen(
                Pick("The cells behind this number", found),
                lambda ids: self.main_app.open_manifest(run, ids[0]) if ids else None,
            )

    def _cells_at(self, row: int) -> list[str]:
        """The cells behind a row."""
        comparison = self.comparison
        if comparison is None:
            return [self._cells[row].id] if row < len(self._cells) else []
        line = line_of(comparison, self.view, row)
        return line.cells if line is not None else []

    def action_view(self) -> None:
        self.view = VIEWS[(VIEWS.index(self.view) + 1) % len(VIEWS)]
        self.main_app.kept.view = self.view
        self._show(cursor=0)

    def action_tab(self, by: int) -> None:
        tabs = self.query_one(Tabs)
        (tabs.action_next_tab if by > 0 else tabs.action_previous_tab)()

    def action_attempts(self) -> None:
        """All attempts at the cells of this row, the last first."""
        if self._results is None:
            return
        run, row = self._results.run, self.query_one("#rows", Rows).cursor
        found = [one for id_ in self._cells_at(row) for one in result_words.attempts(run, id_)]
        if not found:
            self.notify("No attempt at this row's cells has been made yet.")
            return
        self.app.push_screen(
            Pick("Attempts, the last first", [(one.key, one.words) for one in found]),
            lambda keys: self.main_app.open_attempt(run, keys[0]) if keys else None,
        )

    def action_curves(self) -> None:
        """Of the cells of this row, in this run and in the study's others that have them."""
        if self._results is None:
            return
        ids = self._cells_at(self.query_one("#rows", Rows).cursor)
        data = self.main_app.data
        data.read_curves(data.runs_with(self._results.run), ids, self._title)

    @property
    def _title(self) -> str:
        """What the row under the cursor is about."""
        row, comparison = self.query_one("#rows", Rows).cursor, self.comparison
        if comparison is None:
            return self._cells[row].cell.title if row < len(self._cells) else ""
        line = line_of(comparison, self.view, row)
        return " ".join([*line.key.values(), line.quantity]) if line is not None else ""

    def action_runs(self) -> None:
        line = self.main_app.data.surveyed.get(self.main_app.data.request.study)
        runs = line.runs if line else []
        found = [(str(r.run.folder), f"{r.run.id}   {tally(r.counts)}") for r in runs]
        self.app.push_screen(
            Pick("Runs: enter shows one; mark some with space to compare", found, MOST_COMPARED),
            self._take_runs,
        )

    def _take_runs(self, folders: list[str] | None) -> None:
        if folders and len(folders) > 1:
            self.main_app.data.compare([Path(folder) for folder in reversed(folders)])
        elif folders:
            self.main_app.data.show_run(Path(folders[0]))

    def copies(self) -> Sequence[Copied]:
        if self._results is None:
            return ()
        row = self.query_one("#rows", Rows).cursor
        comparison = self.comparison
        if comparison is None:
            ids = self._cells_at(row)
            return result_words.cell_copies(self._results, ids[0]) if ids else ()
        line = line_of(comparison, self.view, row)
        return result_words.line_copies(self._results, comparison, line)

    def action_export(self) -> None:
        if self._results is not None:
            self.main_app.export_actions.ask_tables(self._results, self._current)
