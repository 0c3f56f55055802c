"""The cells of a plan as a list: groups that fold, and what is said of each row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from manifests.plan import PlannedCell
from services.phrases import count, duration
from tui.states import state
from tui.text import safe
from tui.titles import Titles
from tui.widgets.rows import Column, Field, Row, Table

if TYPE_CHECKING:
    from tui.loaders import State

COLUMNS = (
    Column("cell", grow=True), Column("estimate", right=True), Column("state", most=15),
)  # fmt: skip
NOTHING = Table(COLUMNS, 0, lambda index: ())


class Entry(NamedTuple):
    """A row: a group of cells, or one cell."""

    group: str
    cells: tuple[PlannedCell, ...]

    @property
    def planned(self) -> PlannedCell | None:
        return self.cells[0] if not self.group else None


class Listing:
    """``state_of`` tells what a cell has come to, ``group_of`` the group that it stands in."""

    def __init__(
        self, state_of: Callable[[PlannedCell], State], group_of: Callable[[PlannedCell], str]
    ) -> None:
        self._state_of, self._group_of = state_of, group_of
        self._titles = Titles(())
        self._folded: set[str] = set()
        self.entries: list[Entry] = []

    def entitle(self, cells: Sequence[PlannedCell]) -> None:
        """Short titles, which tell these cells apart."""
        self._titles = Titles(cells)

    def arrange(self, cells: Iterable[PlannedCell]) -> None:
        """Groups in the order in which their first cells come."""
        groups: dict[str, list[PlannedCell]] = {}
        for planned in cells:
            groups.setdefault(self._group_of(planned), []).append(planned)
        self.entries = []
        for group, members in groups.items():
            self.entries.append(Entry(group, tuple(members)))
            if group not in self._folded:
                self.entries += [Entry("", (planned,)) for planned in members]

    def fold(self, entry: Entry, folded: bool) -> str:
        """Hide or show the cells of the entry's group; its name."""
        group = entry.group or self._group_of(entry.cells[0])
        (self._folded.add if folded else self._folded.discard)(group)
        return group

    def folds(self, entry: Entry) -> bool:
        """Whether the cells of this group are hidden."""
        return entry.group in self._folded

    def row(self, index: int) -> Row:
        """In the order of COLUMNS."""
        entry = self.entries[index]
        planned = entry.planned
        if planned is None:
            sign = "▸" if self.folds(entry) else "▾"
            seconds = sum(p.estimate_s for p in entry.cells if not p.skip)
            done = sum(self._state_of(p)[0] == "ok" for p in entry.cells)
            return [
                Field(f"{sign} {entry.group}", "strong"),
                Field(duration(seconds) if seconds else "–", "dim"),
                Field(f"{done} of {len(entry.cells)} ok", "dim"),
            ]
        return [
            f"  {self._titles.of(planned.cell)}",
            Field("–", "dim") if planned.skip else duration(planned.estimate_s),
            state(self._state_of(planned)[0]),
        ]

    def describe(self, entry: Entry) -> Text:
        """What stands below the list."""
        text = Text()
        planned = entry.planned
        if planned is None:
            text.append(f"{entry.group}\n", style="bold")
            return text.append(f"{count(len(entry.cells), 'cell')}; space marks them all", "dim")
        name, reason = self._state_of(planned)
        text.append(f"cell {planned.id} · {planned.image}", style="bold")
        text.append(f" · {state(name).text}\n")
        why = reason or planned.skip
        if why:
            text.append(f"{safe(why)}\n")
        source = f"estimate {duration(planned.estimate_s)}, from {planned.estimate_source}"
        needs = f" · starts from {', '.join(planned.needs)}" if planned.needs else ""
        return text.append(safe(source + needs), style="dim")
