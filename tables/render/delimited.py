"""Comparisons for programs: CSV, one line a quantity, and JSON."""

from __future__ import annotations

import csv
import io

import msgspec

from tables.comparison import Comparison, Line
from tables.render import words

HEADER = [
    "run", "table", "place", "scope", "key", "quantity", "printed", "printed_unit", "published",
    "measured", "low", "high", "unit", "work", "ratio", "n", "samples", "state", "flags", "cells",
]  # fmt: skip


def render_csv(comparisons: list[Comparison]) -> str:
    """RFC 4180 with a header; numbers in full; nothing a spreadsheet would run."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(HEADER)
    for comparison in comparisons:
        for line in comparison.lines:
            writer.writerow(_harmless(field) for field in _fields(comparison, line))
    return output.getvalue()


def _fields(comparison: Comparison, line: Line) -> list[object]:
    """In the order of ``HEADER``."""
    key = " ".join(f"{name}={value}" for name, value in line.key.items())
    return [
        comparison.run, comparison.id, comparison.place, comparison.scope, key, line.quantity,
        line.printed, line.printed_unit, line.published, line.measured, line.low, line.high,
        line.unit, line.work,
        line.ratio, line.n, line.samples, line.state, " ".join(line.flags), " ".join(line.cells),
    ]  # fmt: skip


def _harmless(field: object) -> object:
    """No control characters; a text that a spreadsheet takes for a formula gets a quote."""
    if not isinstance(field, str):
        return "" if field is None else field
    text = words.printable(field)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def render_json(comparisons: list[Comparison]) -> str:
    """A list of tables, indented, ending with a newline."""
    plain = [
        {**table._asdict(), "lines": [line._asdict() for line in table.lines]}
        for table in comparisons
    ]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"
