"""The paper's own tables: ``studies/<id>/published/tables.toml`` and the CSV files beside it."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from manifests.codec import UnreadableError, read_bounded
from manifests.documents import DocumentError, read_toml
from manifests.errors import RepliquantError
from manifests.metrics import METRICS
from manifests.select import FIELDS, nearest

Wanted = dict[str, str | int | list[str | int]]
UNITS = {
    "GiB": 2.0**-30, "MiB": 2.0**-20, "bytes": 1.0, "ms": 1e3, "s": 1.0, "%": 100.0,
    "points": 100.0, "items/s": 1.0, "×": 1.0,
}  # fmt: skip
DERIVATIONS = ("reduction", "increase", "ratio", "drop")
TRAINED_WITH = "trained_with"
"""What rows and selections may name beside a cell's own fields: the technique whose training
made the weights, which for a cell that trains is its own."""
SELECTABLE = (*FIELDS, TRAINED_WITH)
_WORDS = {"": "blank", "OOM": "oom", "N/A": "not-applicable"}


MAX_BYTES, MAX_ROWS = 2**20, 5000
LONGEST_NUMBER = 30
"""Of one table; the longest that papers print have some hundred rows."""


class PublishedError(RepliquantError, ValueError):
    """A published table that can't be used; the message names file and place."""


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One quantity: a metric of selected cells, or derived from two other columns.

    ``share`` names operations whose part of the whole is shown. ``skip`` leaves out the first
    samples; ``total`` adds them up. ``source`` is the metric's label, or how its source begins.
    ``work`` names what a sample covers ("images"): its count is shown, and a ratio to the
    published number only in tier ``paper``, where the amount of work is the paper's.
    ``published_from`` names the columns that the printed number was derived from, where ours
    takes others.
    """

    name: str
    label: str
    unit: str
    printed_unit: str = ""
    metric: str = ""
    select: dict[str, Wanted] = {}
    derive: dict[str, list[str]] = {}
    share: list[str] = []
    per_item: bool = False
    skip: int = 0
    total: bool = False
    source: str = ""
    work: str = ""
    published_from: list[str] = []


class TableFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table of ``tables.toml``."""

    id: str
    title: str
    place: str
    key: list[str]
    data: str = ""
    issues: str = ""
    note: str = ""
    select: Wanted = {}
    column: list[Column] = []

    @property
    def name(self) -> str:
        """What the paper calls it: ``Table 6`` of ``Table 6, section 6.2``."""
        return self.place.partition(",")[0]


class TablesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``tables.toml``."""

    table: Annotated[list[TableFile], msgspec.Meta(max_length=100)]


class Printed(NamedTuple):
    """A published number: as printed, and its value in the column's unit."""

    text: str
    value: float | None

    @property
    def kind(self) -> str:
        """``number``, ``oom``, ``not-applicable`` or ``blank``."""
        return "number" if self.value is not None else _WORDS[self.text]


class PublishedRow(NamedTuple):
    """Key values, and the printed numbers by column name."""

    key: dict[str, str]
    numbers: dict[str, Printed]


class PublishedTable(NamedTuple):
    """A table of the paper: what it is, and what it says."""

    file: TableFile
    rows: list[PublishedRow]
    issues: list[dict[str, str]]


def load_published(study_folder: Path) -> list[PublishedTable]:
    """All tables of a study. Raises PublishedError."""
    folder = study_folder / "published"
    try:
        tables = read_toml(folder / "tables.toml", TablesFile).table
    except DocumentError as error:
        raise PublishedError(str(error)) from error
    return [_load(table, folder) for table in tables]


def _load(table: TableFile, folder: Path) -> PublishedTable:
    where = f"{folder / 'tables.toml'}: table {table.id}"
    for name in table.key:
        _known(where, "key", name, list(SELECTABLE))
    for column in table.column:
        _check_column(f"{where}, column {column.name}", column, table)
    for wanted in (table.select, *(w for c in table.column for w in c.select.values())):
        for name in wanted:
            _known(f"{where}, select", "field", name, list(SELECTABLE))
    rows = [_row(line, table, folder) for line in _lines(folder, table.data)]
    return PublishedTable(table, rows, _lines(folder, table.issues))


def _check_column(where: str, column: Column, table: TableFile) -> None:
    _known(where, "unit", column.unit, list(UNITS))
    if len(column.derive) > 1:
        raise PublishedError(f"{where}: derive: one derivation is accepted, not {column.derive}")
    for name, operands in column.derive.items():
        _known(where, "derivation", name, list(DERIVATIONS))
        if len(operands) != 2:
            raise PublishedError(f"{where}: {name} takes two columns, not {len(operands)}")
        for operand in operands:
            _known(where, "column", operand, [c.name for c in table.column if not c.derive])
    for name in column.published_from:
        _known(where, "column", name, [c.name for c in table.column if not c.derive])
    if not column.derive:
        _known(where, "metric", column.metric, list(METRICS))


def _lines(folder: Path, name: str) -> list[dict[str, str]]:
    if not name:
        return []
    if Path(name).name != name:
        raise PublishedError(f"{folder / 'tables.toml'}: {name!r} is not a file beside it")
    try:
        text = read_bounded(str(folder / name), MAX_BYTES).decode("utf-8")
        if len(text) > MAX_BYTES or text.count("\n") > MAX_ROWS:
            raise PublishedError(
                f"{folder / name} has more than {MAX_BYTES:,} bytes or {MAX_ROWS:,} rows"
            )
        lines = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (OSError, UnreadableError, UnicodeDecodeError, csv.Error) as error:
        raise PublishedError(f"{folder / name} can't be read: {error}") from error
    for number, line in enumerate(lines, start=2):
        if None in line or None in line.values():
            raise PublishedError(
                f"{folder / name}: row {number} has more or fewer fields than row 1"
            )
    return lines


def _row(line: dict[str, str], table: TableFile, folder: Path) -> PublishedRow:
    names = [column.name for column in table.column]
    for name in line:
        _known(f"{folder / table.data}", "column", name, [*table.key, *names])
    for name in table.key:
        _known(f"{folder / table.data}", "column", name, list(line))
    return PublishedRow(
        {name: line[name] for name in table.key},
        {name: _number(line.get(name) or "", folder / table.data) for name in names},
    )


def _number(text: str, path: Path) -> Printed:
    """``~40`` is 40; nothing, OOM and N/A are no value."""
    text = text.strip()
    bare = text.lstrip("~").replace(",", "")
    if len(bare) <= LONGEST_NUMBER and re.fullmatch(r"-?\d+(\.\d+)?", bare, re.ASCII):
        return Printed(text, float(bare))
    if text not in _WORDS:
        raise PublishedError(f"{path}: {text!r} is not a number. Accepted words: OOM, N/A")
    return Printed(text, None)


def _known(where: str, what: str, value: str, accepted: list[str]) -> None:
    if value not in accepted:
        raise PublishedError(
            f"{where}: no {what} {value!r}.{nearest(value, accepted)} "
            f"Accepted: {', '.join(accepted)}"
        )
