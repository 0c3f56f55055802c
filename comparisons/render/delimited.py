"""Comparisons for programs: CSV, one line a quantity, and JSON."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec

from comparisons.comparison import Comparison, Line
from comparisons.render import values

_FIRST = ["run", "table", "place", "scope"]
_REST = [
    "quantity", "printed", "printed_unit", "published", "measured", "low", "high", "unit", "work",
    "ratio", "n", "samples", "state", "flags", "cells",
]  # fmt: skip


def render_csv(comparisons: list[Comparison]) -> str:
    """RFC 4180 with a header; numbers in full; nothing a spreadsheet would run.

    A column for each key that some table has, empty where a line has no such key.
    """
    keys = list(dict.fromkeys(name for table in comparisons for name in table.key))
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow([*_FIRST, *map(_column, keys), *_REST])
    for comparison in comparisons:
        for line in comparison.lines:
            writer.writerow(_harmless(field) for field in _fields(comparison, keys, line))
    return output.getvalue()


def _column(key: str) -> str:
    """No two columns have one name."""
    return f"key_{key}" if key in (*_FIRST, *_REST) else key


def _fields(comparison: Comparison, keys: list[str], line: Line) -> list[object]:
    """In the order of the header."""
    return [
        comparison.run, comparison.id, comparison.place, comparison.scope,
        *(line.key.get(name) for name in keys),
        line.quantity, line.printed, line.printed_unit, line.published, line.measured, line.low,
        line.high, line.unit, line.work, line.ratio, line.n, line.samples, line.state,
        " ".join(line.flags), " ".join(line.cells),
    ]  # fmt: skip


def _harmless(field: object) -> object:
    """No control characters; a text that a spreadsheet takes for a formula gets a quote."""
    if not isinstance(field, str):
        return "" if field is None else field
    text = values.printable(field)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def render_json(comparisons: list[Comparison]) -> str:
    """A list of tables, indented, ending with a newline."""
    plain = [
        {**table._asdict(), "lines": [_plain(line) for line in table.lines]}
        for table in comparisons
    ]
    return msgspec.json.format(msgspec.json.encode(plain), indent=2).decode() + "\n"


def _plain(line: Line) -> dict[str, Any]:
    """Without what the numbers of a line were derived from."""
    left_out = ("processes", "images")
    return {name: value for name, value in line._asdict().items() if name not in left_out}
