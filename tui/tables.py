"""Comparisons as rich tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from tables.comparison import Comparison, Line
from tables.render import words
from tui.console import table
from tui.words import printable

_NARROW = 100
_RIGHT = ("published", "measured", "ratio", "n", "samples")


def rich_comparison(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    """Title, then lines of quantities, or the list of issues for a table without numbers.

    Below 100 columns the number of samples and the ids of cells are left out.
    """
    title = words.heading(comparison.title, comparison.place, comparison.scope)
    yield Text(printable(f"\n{title}", lines=True), style="bold")
    if comparison.lines:
        yield _lines(comparison, wide=width >= _NARROW)
    elif comparison.issues:
        header = list(comparison.issues[0])
        yield table("", header, [[issue[n] or "" for n in header] for issue in comparison.issues])
    for reason in words.reasons(comparison):
        yield Text(printable(f"  {reason}"), style="dim")
    if comparison.note:
        yield Text(printable(f"  {comparison.note}"), style="dim")


def _lines(comparison: Comparison, wide: bool) -> RenderableType:
    """What says the same on every line, or nothing at all, gets no column."""
    lines = list(_gathered(comparison.lines))
    columns: dict[str, list[str]] = {
        name: [line.key[name] for line in lines] for name in comparison.key
    }
    if len({line.quantity for line in lines}) > 1:
        columns["quantity"] = [line.quantity for line in lines]
    if any(line.printed for line in lines):
        columns["published"] = [words.published(line) for line in lines]
    columns["measured"] = [words.measured(line) for line in lines]
    if "published" in columns:
        columns["ratio"] = [words.ratio(line) for line in lines]
    columns["n"] = [str(line.n) for line in lines]
    if wide:
        columns["samples"] = [str(line.samples) for line in lines]
    columns["flags"] = [words.flags(line) for line in lines]
    if wide:
        columns["cell"] = [_only_cell(line) for line in lines]
    return table("", list(columns), zip(*columns.values(), strict=True), right=_RIGHT)


def _gathered(lines: list[Line]) -> Iterator[Line]:
    """Quantities of one row that were not measured for one reason share a line."""
    for (key, state), group in itertools.groupby(
        lines, lambda line: (line.key, line.state if line.measured is None else line.quantity)
    ):
        same = list(group)
        told = [line for line in same if line.printed] or same
        if same[0].measured is not None or len(told) < 2:
            yield from told
            continue
        yield told[0]._replace(
            key=key,
            quantity=" / ".join(line.quantity for line in told),
            printed=_side_by_side(told),
            printed_unit="",
            state=state,
            cells=[cell for line in same for cell in line.cells],
        )  # fmt: skip


def _side_by_side(lines: list[Line]) -> str:
    """What is printed, each with its unit, or all with one where they share it."""
    printed = [line.printed or words.NONE for line in lines]
    units = {line.printed_unit for line in lines}
    if len(units) == 1:
        return words.with_unit(" / ".join(printed), units.pop())
    return " / ".join(
        words.with_unit(text, line.printed_unit) for text, line in zip(printed, lines, strict=True)
    )


def _only_cell(line: Line) -> str:
    return line.cells[0] if len(line.cells) == 1 else ""
