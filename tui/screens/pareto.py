"""Accuracy or fidelity against latency of all ways to run one network, the Pareto front marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from comparisons.pareto import QUALITIES, Network, Way, preferred
from comparisons.render import pareto
from comparisons.render.values import number
from tui.loaders import ShownRun
from tui.narrowing import with_phrase
from tui.screens.narrowed import NarrowedPage
from tui.text import MARK, safe
from tui.views.pareto import letter, scatter
from tui.widgets.rows import Column, Field, Rows, Table

_WIDE = 120

_LEAST_LINES, _MOST_LINES = 4, 40
_OTHER_LINES = 9
"""Besides the plot and the rows of the ways."""


class ParetoScreen(NarrowedPage):
    """On top of the speedups; escape goes back."""

    mode = "explain"
    rows_id = "ways"
    hint = "words of a network: resnet18 batch 8"
    about = "Pareto: what no other way beats in latency and accuracy, or fidelity"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "quality", "View", tooltip="by accuracy, agreement or SQNR"),
        Binding("slash", "filter", "Filter", tooltip="only networks with these words"),
        Binding("left_square_bracket", "network(-1)", "Network", show=False,
                tooltip="the network or batch size before"),
        Binding("right_square_bracket", "network(1)", "Network",
                tooltip="the next network or batch size"),
    ]  # fmt: skip

    def __init__(self, results: ShownRun) -> None:
        super().__init__()
        self._results = results
        self._every = self._networks = preferred(results.networks)
        self._at = 0
        self._by = ""

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        yield Static(id="plot", classes="panel")
        yield Rows(id="ways", nothing="Nothing to compare.")
        yield self.filter_box()
        yield Static(id="why", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#ways", Rows).focus()

    @property
    def network(self) -> Network:
        """The one that is shown, by the quality that was chosen where that is known of it."""
        first = self._networks[self._at]
        same = [one for one in self._results.networks if one.key == first.key]
        return next((one for one in same if one.by == self._by), first)

    def renew(self) -> None:
        self._show(None)

    def on_resize(self) -> None:
        if self.settled:
            self._draw()

    def action_network(self, by: int) -> None:
        self._at = (self._at + by) % len(self._networks)
        self._show(0)

    def action_quality(self) -> None:
        key = self.network.key
        known = [one.by for one in self._results.networks if one.key == key]
        self._by = known[(known.index(self.network.by) + 1) % len(known)]
        self._show(0)

    def narrow(self, text: str) -> str:
        """Those whose title has the words side by side; ``[`` and ``]`` go through them."""
        found = with_phrase(text, self._every, pareto.title)
        if not found:
            return f"no network here has {text!r}"
        if found != self._networks:
            self._networks, self._at = found, 0
        self.narrowed_by = text
        self._show(0)
        return ""

    def _show(self, cursor: int | None) -> None:
        network = self.network
        text = Text(f"{self._at + 1} of {len(self._networks)}   ", "dim")
        text.append(safe(pareto.title(network)), "bold not dim")
        text.append(_fastest(network), "not bold not dim")
        self.query_one("#summary", Static).update(text)
        unit = QUALITIES[network.by]
        columns = (
            Column(""), Column("toolchain", most=14), Column("technique", grow=True),
            Column("latency", right=True, most=12), Column(unit.label, right=True, most=15),
            Column("really ran", most=18 if self.size.width < _WIDE else 36),
        )  # fmt: skip
        rows = self.query_one("#ways", Rows)
        rows.show(Table(columns, len(network.ways), self._row), cursor)
        self._draw()

    def _row(self, index: int) -> list[Field | str]:
        way = self.network.ways[index]
        dim = "dim" if way.reason else ""
        named = letter(index) if way.numbers is not None else " "
        latency = "–" if way.latency.value is None else f"{number(way.latency.value)} ms"
        mark = f" {MARK}" if way.latency.flagged or way.quality.flagged else ""
        return [
            Field(f"{named} {pareto.sign(way)}", "accent" if way.front else dim),
            Field(way.framework, dim), Field(pareto.technique(way), dim),
            Field(f"{latency}{mark}", dim), Field(_value(way, self.network.by), dim),
            Field(pareto.proof(way), dim),
        ]  # fmt: skip

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw()

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        way = self.network.ways[event.index]
        cells = [*way.latency.cells, *way.quality.cells]
        if cells:
            self.main_app.open_manifest(self._results.run, cells[0])

    def _draw(self) -> None:
        network, row = self.network, self.query_one("#ways", Rows).cursor
        left = self.size.height - len(network.ways) - _OTHER_LINES
        height = min(_MOST_LINES, max(_LEAST_LINES, self.size.height // 2 - 4, left))
        lines = scatter(network, row, self.size.width - 2, height, self.main_app.paint)
        plot = self.query_one("#plot", Static)
        plot.display = bool(lines) and self.size.height > _LEAST_LINES + 8
        plot.update(Text("\n").join(lines))
        ways: Sequence[Way] = network.ways
        text = _told(ways[row], network.by) if row < len(ways) else Text()
        self.query_one("#why", Static).update(text)


def _fastest(network: Network) -> str:
    """Of those that are compared, the one with the least latency."""
    able = [(way.place.latency_ms, way.title) for way in network.ways if way.place is not None]
    if not able:
        return ""
    latency_ms, title = min(able)
    return f"   fastest: {safe(title)}, {number(latency_ms)} ms"


def _value(way: Way, by: str) -> str:
    """Without its interval."""
    return pareto.quality(way, by).partition(" [")[0]


def _told(way: Way, by: str) -> Text:
    """What stands behind a row: its intervals, and what beats it or keeps it from comparing."""
    text = Text(safe(way.title), "bold")
    text.append(f"   {pareto.latency(way)}   {pareto.quality(way, by)}", "not bold")
    told = pareto.remark(way)
    if way.front:
        told = f"{pareto.FRONT} on the front: nothing here beats it   {told}".rstrip()
    told = f"not compared: {told}" if way.reason else told
    flags = sorted({*way.latency.flags, *way.quality.flags})
    told += f"   {MARK} {', '.join(flags)}" if flags and not way.reason else ""
    return text.append(f"\n{safe(told, 1000)}", "not bold")
