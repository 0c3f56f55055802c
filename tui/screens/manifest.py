"""One cell: where its numbers come from. The same texts as ``repliquant show``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static, Tab, Tabs

from comparisons.render.values import number
from comparisons.statistics import median, readings
from manifests.manifest import Manifest, Metric
from manifests.run_folder import Run
from manifests.series_reader import Series
from manifests.telemetry_series import PhaseMark, Sample
from services.citations import paper_citation
from services.manifest_lines import describe
from services.shown_commands import show_command
from tui.charts import Reading, columns, histogram, resampled, widened
from tui.copying import Copied
from tui.recording import read_log, read_telemetry
from tui.screens.base import Page
from tui.states import state
from tui.text import safe

_TABS = ("Cell", "Samples", "Telemetry", "Log", "JSON")
_FEWEST = 4
_HISTOGRAM_LINES = 6
_JSON_CHARACTERS = 40_000


class ManifestScreen(Page):
    """Opened from a cell; escape goes back. ``folder`` is that of an earlier attempt."""

    about = "Manifest: everything that stands behind one cell"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left_square_bracket", "tab(-1)", "Tab", show=False, tooltip="the tab before"),
        Binding("right_square_bracket", "tab(1)", "Tab", tooltip="the next tab"),
        Binding("y", "copy", "Copy", tooltip="copy the manifest, its id, or the command"),
        Binding("escape", "app.back", "Back"),
    ]

    def __init__(self, run: Run, manifest: Manifest, mode: str, folder: str = "") -> None:
        super().__init__()
        self.mode = mode  # type: ignore[misc]
        self._run, self._manifest = run, manifest
        self._folder = folder or manifest.id

    def body(self) -> ComposeResult:
        manifest = self._manifest
        title = Text(f"cell {manifest.id}", "bold")
        title.append(f"   {safe(manifest.cell.title)}   {state(manifest.status).text}", "not bold")
        yield Static(title, classes="line")
        yield Tabs(*(Tab(name, id=name.lower()) for name in _TABS))
        with VerticalScroll(id="page", can_focus=True):
            yield Static(id="text", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#page").focus()

    def action_tab(self, by: int) -> None:
        tabs = self.query_one(Tabs)
        (tabs.action_next_tab if by > 0 else tabs.action_previous_tab)()

    def copies(self) -> Sequence[Copied]:
        shows = show_command(self._run, self._manifest.id)
        return (
            Copied("y", "the cell's id", self._manifest.id),
            Copied("m", "the command that shows this", shows),
            Copied("c", "the paper's citation", paper_citation(self._manifest.cell.study)),
            Copied("j", "the manifest as JSON", self._json()),
        )

    @on(Tabs.TabActivated)
    def _tab(self, event: Tabs.TabActivated) -> None:
        self._show(event.tab.id or "cell")

    def on_resize(self) -> None:
        active = self.query_one(Tabs).active
        if active in ("samples", "telemetry"):
            self._show(active)

    def _show(self, tab: str) -> None:
        self.query_one("#text", Static).update(Group(*self._parts(tab)))
        self.query_one("#page", VerticalScroll).scroll_home(animate=False)

    def _parts(self, tab: str) -> Iterator[RenderableType]:
        width = max(20, self.size.width - 4)
        colour = self.main_app.paint("primary")
        if tab == "samples":
            yield from _samples(self._manifest, width, colour)
        elif tab == "telemetry":
            yield from _telemetry(read_telemetry(self._run, self._folder), width, colour)
        elif tab == "log":
            lines = read_log(self._run, self._folder)
            yield Text("\n".join(safe(line) for line in lines[-500:]) or "It printed nothing.")
        elif tab == "json":
            yield Text(safe_lines(self._json()[:_JSON_CHARACTERS]))
        else:
            folder = self._run.cell_folder(self._folder)
            for part in describe(self._manifest, folder):
                yield Text(part) if isinstance(part, str) else part

    def _json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self._manifest), indent=1).decode()


def safe_lines(text: str) -> str:
    """A text of several lines, each made fit."""
    return "\n".join(safe(line) for line in text.split("\n"))


def _samples(manifest: Manifest, width: int, colour: str) -> Iterator[Text]:
    """A histogram a metric that has enough samples."""
    told = False
    for metric in manifest.metrics:
        values = readings(metric)
        if metric.name != "op_time_s" and len(values) >= _FEWEST:
            told = True
            yield _histogram(metric, values, width, colour)
    if not told:
        yield Text("No metric of this cell has enough samples for a histogram.", "dim")


def _histogram(metric: Metric, values: list[float], width: int, colour: str) -> Text:
    room = min(72, width)
    counts, low, high = histogram(values, min(36, max(4, len(values) // 2)))
    text = Text(f"{safe(metric.name)} {safe(metric.label)}".strip(), "bold")
    facts = f"   {len(values):,} samples, median {number(median(values))} {safe(metric.unit)}\n"
    text.append(facts, "dim not bold")
    shown = widened([float(c) for c in counts], room)
    for line in columns(shown, room, _HISTOGRAM_LINES):
        text.append(f"{line}\n", f"not bold {colour}")
    ends = number(low), number(high)
    text.append(ends[0] + ends[1].rjust(room - len(ends[0])) + "\n", "dim not bold")
    return text


def _telemetry(series: Series | None, width: int, colour: str) -> Iterator[Text]:
    if series is None or not series.samples:
        yield Text("No telemetry was recorded for this cell.", "dim")
        return
    if series.made_up:
        yield Text(f"MADE UP: {safe(series.opening.made_up)}\n", "bold")
    yield _phases(series, width)
    yield _drawn("CPU, percent", [s.host.cpu_percent for s in series.samples], width, colour)
    used = [_gib(sample.host.memory_used_bytes) for sample in series.samples]
    yield _drawn("memory used, GiB", used, width, colour)
    cell = series.opening.cell
    if any(cell in sample.cells for sample in series.samples):
        values = [s.cells[cell].cpu_percent if cell in s.cells else None for s in series.samples]
        yield _drawn("the cell, percent of a core", values, width, colour)
    for index in sorted({gpu.index for sample in series.samples for gpu in sample.gpus}):
        yield _drawn(
            f"GPU {index}, percent", _of_gpu(series.samples, index, "percent"), width, colour
        )
        yield _drawn(f"GPU {index}, watts", _of_gpu(series.samples, index, "watts"), width, colour)
    for key, why in sorted(series.samples[-1].reasons.items())[:12]:
        yield Text(f"no {safe(key)}: {safe(why)}", "dim")


def _of_gpu(samples: list[Sample], index: int, what: str) -> list[Reading]:
    found = [sample.gpu(index) for sample in samples]
    if what == "watts":
        return [gpu.power_w if gpu else None for gpu in found]
    return [gpu.utilization_percent if gpu else None for gpu in found]


def _gib(count: int | None) -> float | None:
    return None if count is None else count / 2**30


def _phases(series: Series, room: int) -> Text:
    """The names of the phases over the columns in which they begin; long phases come first."""
    whole = series.length_s or 1.0
    begins = [mark.time_s for mark in series.phases]
    ends = [*begins[1:], whole]
    line = [" "] * room
    phases = zip(series.phases, ends, strict=False)
    for mark, _ in sorted(phases, key=_length, reverse=True):
        at = min(room - 1, round(mark.time_s / whole * room))
        name = f"▏{safe(mark.name, 12)} "
        if set(line[at : at + len(name)]) == {" "}:
            line[at : at + len(name)] = name[: room - at]
    return Text(f"{series.length_s:.1f} s\n" + "".join(line[:room]), "dim")


def _length(phase: tuple[PhaseMark, float]) -> float:
    mark, end_s = phase
    return end_s - mark.time_s


def _drawn(name: str, values: list[Reading], room: int, colour: str) -> Text:
    known = [value for value in values if value is not None]
    text = Text(f"{name}", "bold")
    if not known:
        text.append("   no reading\n", "dim not bold")
        return text
    text.append(f"   {number(min(known))} … {number(max(known))}\n", "dim not bold")
    for line in columns(widened(resampled(values, room), room), room, 4):
        text.append(f"{line}\n", f"not bold {colour}")
    return text
