"""Comparisons as rich tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from comparisons.comparison import Comparison, Line
from comparisons.render import values
from comparisons.render.groups import gathered
from orchestrator.planning.obstacles import lacks_gpu
from services.phrases import printable
from services.skipped_cells import lacking_gpu
from services.tables import table

_NARROW = 100
_ALL_ROWS = "published numbers: --format md"
_LEAST = ("cell", "samples", "n", "flags")
_RIGHT = ("published", "measured", "ratio", "n", "samples")


def rich_comparison(comparison: Comparison, width: int) -> Iterator[RenderableType]:
    """Title, then lines of quantities, or the list of issues for a table without numbers.

    What a GPU alone can fill is counted in a line, where there is none. Below 100 columns the
    number of samples and the ids of cells are left out.
    """
    title = values.heading(comparison.title, comparison.place, comparison.scope)
    yield Text(printable(f"\n{title}", lines=True), style="bold")
    lines = gathered(comparison.lines)
    here = [line for line in lines if not lacks_gpu(line.state)]
    if here:
        yield _lines(here, comparison.key, width >= _NARROW)
    elif comparison.issues and not lines:
        header = list(comparison.issues[0])
        rows = [[issue[n] or "" for n in header] for issue in comparison.issues]
        yield table("", header, rows)
    if len(here) < len(lines):
        yield Text(f"  {lacking_gpu(len(lines) - len(here), 'row')} ({_ALL_ROWS})", style="dim")
    for reason in values.reasons(comparison._replace(lines=here)):
        yield Text(printable(f"  {reason}"), style="dim")
    if comparison.note:
        yield Text(printable(f"  {comparison.note}"), style="dim")


def _lines(lines: Sequence[Line], key: Sequence[str], wide: bool) -> RenderableType:
    """What says the same on every line, or nothing at all, gets no column."""
    columns: dict[str, list[str]] = {name: [line.key[name] for line in lines] for name in key}
    if len({line.quantity for line in lines}) > 1:
        columns["quantity"] = [line.quantity for line in lines]
    if any(line.printed for line in lines):
        columns["published"] = [values.published(line) for line in lines]
    columns["measured"] = [values.measured(line) for line in lines]
    if "published" in columns:
        columns["ratio"] = [values.ratio(line) for line in lines]
    columns["n"] = [str(line.n) for line in lines]
    if wide:
        columns["samples"] = [str(line.samples) for line in lines]
    columns["flags"] = [values.flags(line) for line in lines]
    if wide:
        columns["cell"] = [_only_cell(line) for line in lines]
    rows = zip(*columns.values(), strict=True)
    return table("", list(columns), rows, right=_RIGHT, least=_LEAST)


def _only_cell(line: Line) -> str:
    return line.cells[0] if len(line.cells) == 1 else ""
