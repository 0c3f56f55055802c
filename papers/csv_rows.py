"""The CSV files beside ``tables.toml``: rows of printed numbers, each with its line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from manifests.codec import UnreadableError, read_bounded
from papers.mistakes import Mistake, Place, no_such
from papers.table_types import Printed, PublishedRow, TableFile

MAX_BYTES, MAX_ROWS = 2**20, 5000
"""Of one table; the longest that papers print have some hundred rows."""
LONGEST_NUMBER = 30
_WORDS = ("", "OOM", "N/A")

_Lines = list[tuple[int, dict[str, str]]]


class _Refused(Exception):
    """Why a file can't be read at all, and at which line."""

    def __init__(self, text: str, line: int = 1) -> None:
        super().__init__(text)
        self.line = line


def read_rows(
    table: TableFile, folder: Path, place: Place
) -> tuple[list[PublishedRow], list[Mistake]]:
    """A table's rows, as far as they can be read, and what is wrong with them."""
    lines, found = read_lines(folder, table.data, place.at("data"))
    path = folder / table.data
    if lines:
        wrong = list(_header(lines[0][1], table, path))
        if wrong:
            return [], found + wrong
    found += _repeated(lines, table, path)
    rows = []
    for number, line in lines:
        numbers, wrong = _numbers(line, table, path, number)
        found += wrong
        rows.append(PublishedRow({name: line[name] for name in table.keys}, numbers))
    return rows, found


def read_lines(folder: Path, name: str, place: Place) -> tuple[_Lines, list[Mistake]]:
    """The lines of a CSV file with their numbers, by column; nothing for no name."""
    path = folder / name
    if not name:
        return [], []
    if Path(name).name != name:
        return [], [place.mistake(f"{name!r} is not a file beside it")]
    try:
        return _read(path)
    except _Refused as error:
        return [], [Mistake(path, error.line, str(error))]
    except (OSError, UnreadableError, UnicodeDecodeError) as error:
        return [], [Mistake(path, 1, f"can't be read: {error}")]


def _read(path: Path) -> tuple[_Lines, list[Mistake]]:
    text = read_bounded(str(path), MAX_BYTES).decode("utf-8")
    if len(text) > MAX_BYTES or text.count("\n") > MAX_ROWS:
        raise _Refused(f"has more than {MAX_BYTES:,} bytes or {MAX_ROWS:,} rows")
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    lines: _Lines = []
    found: list[Mistake] = []
    names: list[str] = []
    try:
        for row in reader:
            if not row:
                continue
            if not names:
                names = row
                found += _named_twice(path, names)
            elif len(row) != len(names):
                told = f"row {len(lines) + 2} has {len(row)} fields, row 1 has {len(names)}"
                found.append(Mistake(path, reader.line_num, told))
            else:
                lines.append((reader.line_num, dict(zip(names, row, strict=True))))
    except csv.Error as error:
        raise _Refused(f"can't be read: {error}", reader.line_num) from error
    return lines, found


def _named_twice(path: Path, names: list[str]) -> list[Mistake]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Mistake(path, 1, f"two columns are called {name!r}") for name in twice]


def _header(line: dict[str, str], table: TableFile, path: Path) -> Iterator[Mistake]:
    accepted = [*table.keys, *(column.name for column in table.column)]
    for name in line:
        if name not in accepted:
            yield Mistake(path, 1, no_such("column", name, accepted))
    for name in table.keys:
        if name not in line:
            yield Mistake(path, 1, no_such("column", name, list(line)))


def _repeated(lines: _Lines, table: TableFile, path: Path) -> Iterator[Mistake]:
    """Rows with the key of an earlier one, and keys without a value."""
    seen: dict[tuple[str, ...], int] = {}
    for number, line in lines:
        key = tuple(line[name] for name in table.keys)
        told = ", ".join(f"{name} {line[name]}" for name in table.keys)
        if key in seen:
            yield Mistake(path, number, f"{told}: the same row as in line {seen[key]}")
        seen.setdefault(key, number)
        for name in table.keys:
            if not line[name].strip():
                yield Mistake(path, number, f"{name} is empty, and tells rows apart")


def _numbers(
    line: dict[str, str], table: TableFile, path: Path, at: int
) -> tuple[dict[str, Printed], list[Mistake]]:
    numbers: dict[str, Printed] = {}
    found: list[Mistake] = []
    for column in table.column:
        text = (line.get(column.name) or "").strip()
        value = _value(text)
        if value is None and text not in _WORDS:
            told = f"{text!r} is not a number. Accepted words: OOM, N/A"
            found.append(Mistake(path, at, f"{column.name}: {told}"))
            text = ""
        elif not text and column.name in line:
            told = "is empty, and so read as not printed; N/A where it doesn't apply"
            found.append(Mistake(path, at, f"{column.name} {told}", remark=True))
        numbers[column.name] = Printed(text, value)
    return numbers, found


def _value(text: str) -> float | None:
    """``~40`` is 40; nothing, OOM and N/A are no value."""
    bare = text.lstrip("~").replace(",", "")
    if len(bare) <= LONGEST_NUMBER and re.fullmatch(r"-?\d+(\.\d+)?", bare, re.ASCII):
        return float(bare)
    return None
