"""Comparisons as rich tables."""

from __future__ import annotations

from rich.table import Table

from tables.comparison import Comparison
from tables.render import words
from tui.console import table

_RIGHT = ("published", "measured", "ratio", "n")


def rich_comparison(comparison: Comparison) -> Table:
    """Lines of quantities, or the list of issues for a table without numbers."""
    title = words.heading(comparison.title, comparison.place, comparison.scope)
    if not comparison.lines and comparison.issues:
        header = list(comparison.issues[0])
        body = [[issue[name] or "" for name in header] for issue in comparison.issues]
        return table(title, header, body)
    columns = [*comparison.key, "quantity", *_RIGHT, "flags", "cell"]
    rows = [
        [
            *(line.key[name] for name in comparison.key),
            line.quantity,
            words.published(line),
            words.measured(line),
            words.ratio(line),
            str(line.n),
            " ".join(line.flags),
            line.cells[0] if len(line.cells) == 1 else "",
        ]
        for line in comparison.lines
    ]
    return table(title, columns, rows, right=_RIGHT)
