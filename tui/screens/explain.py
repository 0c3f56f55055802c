"""Screen 5: what a speedup is made of, as a bar that comes apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from comparisons.decomposition import Explanation
from comparisons.render.speedups import ONE_PROCESS, configuration, interval
from services.citations import paper_citation
from services.phrases import count
from services.shown_commands import explain_command
from tui.copying import Copied
from tui.narrowing import with_words
from tui.screens.narrowed import NarrowedPage
from tui.text import MARK, safe
from tui.views.speedups import parts, waterfall
from tui.widgets.rows import Column, Field, Rows, Table

_COLUMNS = (
    Column("configuration", grow=True), Column("technique", most=22),
    Column("baseline", most=16), Column("speedup", right=True), Column("source", most=22),
)  # fmt: skip


class ExplainScreen(NarrowedPage):
    """Speedups above, the chosen one taken apart below."""

    mode = "explain"
    rows_id = "speedups"
    about = "Explain: calling convention x compiler x precision = total"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "front", "Front", tooltip="accuracy or fidelity against latency"),
        Binding("m", "matrix", "Matrix", tooltip="which features each technique quantizes"),
        Binding("r", "reread", "Read again", show=False, tooltip="read the latest run again"),
        Binding("y", "copy", "Copy", tooltip="copy the speedup, the row, or the command"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._all: list[Explanation] = []
        self._known: list[Explanation] = []

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Rows(id="speedups", nothing="No speedup here has both of its ends.")
        yield self.filter_box()
        yield Static(id="apart", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#speedups", Rows).focus()

    def renew(self) -> None:
        data = self.main_app.data
        self._all = data.speedups
        known = [item for item in self._all if item.total is not None]
        text = Text(data.request.study, "bold")
        text.append(f"   {count(len(known), 'speedup')} taken apart", "not bold")
        if data.results is not None and not data.results.whole:
            text.append("   reading …", "dim not bold")
        missing = len(self._all) - len(known)
        if missing:
            text.append(f"   {missing} with an end that is not measured", "dim not bold")
        self._known = known
        self._all = with_words(self.narrowed_by, known, _searched)
        self.query_one("#summary", Static).update(text)
        rows = self.query_one("#speedups", Rows)
        rows.styles.max_height = len(self._all) + 2
        rows.show(Table(_COLUMNS, len(self._all), self._row))
        self._draw()

    def narrow(self, text: str) -> str:
        if text and not with_words(text, self._known, _searched):
            return f"no speedup here has {text!r}"
        self.narrowed_by = text
        self.renew()
        return ""

    def copies(self) -> Sequence[Copied]:
        row = self.query_one("#speedups", Rows).cursor
        if row >= len(self._all):
            return ()
        item = self._all[row]
        data = self.main_app.data
        run = data.results.run if data.results else None
        told = f"{item.total:.2f}x" if item.total is not None else ""
        what = f"{item.technique} over {item.baseline}, {configuration(item.point)}"
        factors = " x ".join(f"{factor.value:.2f} {factor.kind}" for factor in item.factors)
        return (
            Copied("y", "the speedup", told),
            Copied("r", "the row", f"{what}: {told} {_interval(item)}= {factors} ({item.source})"),
            Copied("c", "the paper's citation", paper_citation(data.study)),
            Copied("m", "the command that shows it", explain_command(data.study, run)),
        )

    def action_reread(self) -> None:
        self.main_app.data.read_results()

    def action_front(self) -> None:
        from tui.screens.pareto import ParetoScreen

        results = self.main_app.data.results
        if results is None or not results.networks:
            self.notify("No network was measured in two ways with a latency and a quality.")
            return
        self.app.push_screen(ParetoScreen(results))

    def action_matrix(self) -> None:
        """Of the shown run, else of the latest one that has probes."""
        from tui.screens.matrix import MatrixScreen

        results = self.main_app.data.results
        if results is not None and results.matrix.filled:
            self.app.push_screen(MatrixScreen(results))
        elif not self.main_app.data.read_probes():
            self.notify(
                "No run has probes. They are an experiment: repliquant run lad2023 "
                "--experiment matrix"
            )

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _row(self, index: int) -> list[Field | str]:
        item = self._all[index]
        total = f"{item.total:.2f}x" if item.total is not None else "–"
        speedup = Field(f"{total} {MARK}", "warn") if item.flagged else total
        point, source = configuration(item.point), Field(item.source, "dim")
        return [point, item.technique, item.baseline, speedup, source]

    def _draw(self) -> None:
        rows = self.query_one("#speedups", Rows)
        if rows.cursor >= len(self._all):
            self.query_one("#apart", Static).update("")
            return
        item = self._all[rows.cursor]
        width = max(30, self.size.width - 2)
        text = Text()
        text.append(f"{safe(item.technique)} over {safe(item.baseline)}", "bold")
        text.append(f"   {item.total:.2f}x {_interval(item)}= ", "not bold")
        text.append(" x ".join(f"{factor.value:.2f}" for factor in item.factors) + "\n")
        if item.flagged:
            flags = safe(", ".join(item.flagged), 400)
            text.append(f"{MARK} flags of its cells: {flags}\n", "bold")
        falling = list(waterfall(item, width, self.main_app.paint))
        shares = parts(item, width, self.main_app.paint) if len(item.factors) > 1 else ()
        for line in [*falling, *(shares if falling else parts(item, width, self.main_app.paint))]:
            text.append_text(line).append("\n")
        self.query_one("#apart", Static).update(text)


def _searched(item: Explanation) -> str:
    """The text of a speedup that a filter looks at."""
    return f"{configuration(item.point)} {item.technique} {item.baseline} {item.source}"


def _interval(item: Explanation) -> str:
    """The interval over processes, or that there can be none; nothing for a paper's number."""
    if item.n == 1:
        return f"({ONE_PROCESS}) "
    ends = interval(item.interval).strip()
    return f"{ends} " if ends else ""
