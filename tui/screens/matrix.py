"""Features × techniques: what each quantizes, as signs; of the chosen one what ran or was said."""

from __future__ import annotations

import string
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from comparisons.matrix import Column as Technique
from comparisons.matrix import Entry, Matrix, begun, works
from comparisons.render import matrix as render
from manifests.features import FEATURES
from manifests.probe_record import MEANINGS
from services.phrases import count
from tui.loaders import ShownRun
from tui.narrowing import with_words
from tui.screens.narrowed import NarrowedPage
from tui.text import safe
from tui.widgets.rows import Column, Field, Rows, Table

_TONES = {"mixed": "warn", "simulated": "warn", "refused": "dim"}
_LETTERS = string.ascii_lowercase + string.ascii_uppercase
_LONGEST = 1000


class MatrixScreen(NarrowedPage):
    """On top of the speedups; escape goes back."""

    mode = "explain"
    rows_id = "features"
    hint = "words of a feature or its group: lstm"
    about = "Matrix: which features each technique really quantizes, by probes"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "technique(-1)", "Technique", show=False, tooltip="the technique before",
                priority=True),
        Binding("right,l", "technique(1)", "Technique", tooltip="the next technique",
                priority=True),
        Binding("slash", "filter", "Filter", tooltip="only features with these words"),
        Binding("w", "works", "Works", tooltip="only features that the chosen technique runs"),
        Binding("n", "lacks", "Not", tooltip="only features that it doesn't run"),
    ]  # fmt: skip

    def __init__(self, results: ShownRun) -> None:
        super().__init__()
        self._results = results
        self._matrix = begun(results.matrix)
        self._at = 0
        self._only: bool | None = None
        self._features = self._matrix.features

    def body(self) -> ComposeResult:
        yield Static(id="summary", classes="line")
        with Horizontal(id="support"):
            yield Rows(id="features", nothing="No feature is left.")
            with VerticalScroll(id="techniques", can_focus=False):
                yield Static(id="legend")
        yield self.filter_box()
        yield Static(id="why", classes="panel")

    def on_mount(self) -> None:
        self.query_one("#features", Rows).focus()

    @property
    def technique(self) -> Technique:
        """The column that is chosen."""
        return self._matrix.columns[self._at]

    def renew(self) -> None:
        self._show(None)

    def action_technique(self, by: int) -> None:
        self._at = (self._at + by) % len(self._matrix.columns)
        self._show(None if self._only is None else 0)

    def action_works(self) -> None:
        self._only = None if self._only is True else True
        self._show(0)

    def action_lacks(self) -> None:
        self._only = None if self._only is False else False
        self._show(0)

    def narrow(self, text: str) -> str:
        if not with_words(text, self._matrix.features, _searched):
            return f"no feature here has {text!r}"
        self.narrowed_by = text
        self._show(0)
        return ""

    def _show(self, cursor: int | None) -> None:
        named = with_words(self.narrowed_by, self._matrix.features, _searched)
        self._features = [name for name in named if self._wanted(name)]
        columns = [Column("feature", grow=True), Column("group", most=13)]
        columns += [Column(self._head(index)) for index in range(len(self._matrix.columns))]
        rows = self.query_one("#features", Rows)
        rows.show(Table(tuple(columns), len(self._features), self._row), cursor)
        self._draw()

    def _wanted(self, feature: str) -> bool:
        if self._only is None:
            return True
        entry = self._matrix.at(feature, self.technique)
        return entry is not None and works(entry) == self._only

    def _head(self, index: int) -> str:
        return f"[{_letter(index)}]" if index == self._at else _letter(index)

    def _row(self, index: int) -> list[Field | str]:
        name = self._features[index]
        known = FEATURES.get(name)
        signs = [_sign(self._matrix.at(name, column)) for column in self._matrix.columns]
        return [name, Field(known.group if known else "", "dim"), *signs]

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._draw()

    @on(Rows.Opened)
    def _open(self, event: Rows.Opened) -> None:
        entry = self._matrix.at(self._features[event.index], self.technique)
        if entry is not None and entry.outcome:
            self.main_app.open_manifest(self._results.run, entry.cell)

    def _draw(self) -> None:
        text = Text(f"{self._at + 1} of {len(self._matrix.columns)}   ", "dim")
        text.append(safe(self.technique.title), "bold not dim")
        kept = {True: "   what it runs", False: "   what it doesn't run", None: ""}[self._only]
        text.append(f"{kept}   {count(len(self._features), 'feature')}", "dim")
        self.query_one("#summary", Static).update(text)
        row = self.query_one("#features", Rows).cursor
        told = Text()
        if row < len(self._features):
            told = _told(self._matrix.at(self._features[row], self.technique))
            told.append_text(_everywhere(self._matrix, self._features[row]))
        self.query_one("#why", Static).update(told)
        self.query_one("#legend", Static).update(_legend(self._matrix, self._at))


def _letter(index: int) -> str:
    return _LETTERS[index] if index < len(_LETTERS) else str(index)


def _legend(matrix: Matrix, chosen: int) -> Text:
    """A line a technique: its letter, its name, of how many probed features it runs as promised."""
    text = Text(no_wrap=True, overflow="ellipsis")
    for index, column in enumerate(matrix.columns):
        found = [matrix.at(feature, column) for feature in matrix.features]
        probed = [entry for entry in found if entry is not None and entry.outcome]
        style = "bold" if index == chosen else ""
        text.append(f"{_letter(index):<3}{safe(column.title):<32} ", style)
        text.append(f"{sum(map(works, probed))} of {len(probed)}\n", style or "dim")
    text.rstrip()
    return text


def _searched(feature: str) -> str:
    known = FEATURES.get(feature)
    return f"{feature} {known.group if known else ''}"


def _everywhere(matrix: Matrix, feature: str) -> Text:
    """Which techniques really run it in the type that they promise, and how many don't."""
    entries = [matrix.at(feature, column) for column in matrix.columns]
    probed = [entry for entry in entries if entry is not None and entry.outcome]
    able = [entry.column.title for entry in probed if works(entry)]
    text = Text(f"\n{safe(feature)} runs as promised in ", "dim not bold")
    text.append(f"{len(able)} of {count(len(probed), 'technique')}", "bold not dim")
    return text.append(f": {safe(', '.join(able), _LONGEST)}" if able else "", "not bold not dim")


def _sign(entry: Entry | None) -> Field | str:
    if entry is None:
        return ""
    tone = "good" if works(entry) else _TONES.get(entry.outcome, "bad")
    return Field(render.sign(entry), tone if entry.outcome else "dim")


def _told(entry: Entry | None) -> Text:
    """The outcome in words, what ran in which types, or the framework's own words."""
    if entry is None:
        return Text("not planned")
    text = Text(safe(f"{entry.feature} in {entry.column.title}: {render.word(entry)}"), "bold")
    noise = entry.probe.sqnr_db if entry.probe else None
    text.append("" if noise is None else f", {noise:.1f} dB")
    meaning = MEANINGS.get(entry.outcome, "")
    text.append(f"   {meaning}" if meaning else "", "not bold")
    said = render.told(entry) or entry.words
    return text.append(f"\n{safe(said, _LONGEST)}", "not bold")
