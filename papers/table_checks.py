"""What types can't say of ``tables.toml``: names that refer to others, units that fit."""

from __future__ import annotations

from collections.abc import Iterator

from manifests.metrics import METRICS
from manifests.units import FRACTION, RATIO, UNITS, units_of
from papers.mistakes import Mistake, Place
from papers.table_types import DERIVATIONS, MAY_BE_EMPTY, SELECTABLE, Column, TableFile, TablesFile

_DERIVED_UNITS = {
    "ratio": units_of(RATIO), "reduction": ("%",), "increase": ("%",), "drop": ("points", "%"),
}  # fmt: skip


def table_mistakes(place: Place, file: TablesFile) -> Iterator[Mistake]:
    """In the order of the file."""
    yield from place.at("table").twice("tables", [table.id for table in file.table])
    for index, table in enumerate(file.table):
        yield from _of_table(place.at("table", index, name=f"table {table.id}"), table)


def _of_table(place: Place, table: TableFile) -> Iterator[Mistake]:
    for field in ("id", "title", "place"):
        if not getattr(table, field).strip():
            yield place.at(field).mistake(f"{field} is empty", remark=field != "id")
    yield from _of_keys(place, table)
    yield from place.at("column").twice("columns", [column.name for column in table.column])
    yield from _of_selection(place, "select", table.select)
    yield from _of_conclusions(place, table)
    for index, column in enumerate(table.column):
        named = f"table {table.id}, column {column.name}"
        yield from _of_column(place.at("column", index, name=named), column, table)
        for framework, wanted in column.select.items():
            inner = place.at("column", index, "select", framework)
            yield from _of_selection(inner, "select", wanted)
        inner = place.at("column", index, "instead", name=named)
        yield from _of_instead(inner, column, table)
        inner = place.at("column", index, "elsewhere", name=named)
        yield from _of_elsewhere(inner, column)


def _of_keys(place: Place, table: TableFile) -> Iterator[Mistake]:
    for name in table.key:
        yield from place.at("key").unknown("key", name, SELECTABLE)
    for name in table.labels:
        if name in SELECTABLE:
            told = f"{name!r} is a field of a cell: it belongs under key"
            yield place.at("labels").mistake(told)
    yield from _of_metric_label(place, table)
    names = [*table.keys, *(column.name for column in table.column)]
    for name in dict.fromkeys(name for name in table.keys if names.count(name) > 1):
        yield place.at("key").mistake(f"{name!r} is the name of two keys, or of a column too")
    if table.labels and not table.data:
        yield place.at("labels").mistake("labels come from the rows of a file: give data")


def _of_conclusions(place: Place, table: TableFile) -> Iterator[Mistake]:
    names = [column.name for column in table.column]
    for field in ("best", "correlate"):
        for name in getattr(table, field):
            yield from place.at(field).unknown("column", name, names)
    for column in table.column:
        info = METRICS.get(column.metric)
        if column.name in table.best and (info is None or info.better is None):
            yield place.at("best").mistake(f"of {column.name} neither more nor less is better")
    if len(table.correlate) == 1:
        yield place.at("correlate").mistake("correlate takes two columns or more, not 1")


def _of_metric_label(place: Place, table: TableFile) -> Iterator[Mistake]:
    if not table.metric_label:
        return
    at = place.at("metric_label")
    if table.metric_label in SELECTABLE:
        yield at.mistake(f"{table.metric_label!r} is a field of a cell: it belongs under key")
    if table.data:
        yield at.mistake("rows come from the metrics of cells: give no data")
    if not table.column or not table.column[0].metric:
        yield at.mistake("its rows are the labels of the first column's metric: give that one")


def _of_selection(place: Place, what: str, wanted: object) -> Iterator[Mistake]:
    named = place._replace(name=f"{place.name}, {what}")
    assert isinstance(wanted, dict)
    for name, value in wanted.items():
        yield from named.unknown("field", name, SELECTABLE)
        if value == [] or (value == "" and name not in MAY_BE_EMPTY):
            yield named.mistake(f"{name} is empty: no cell has that")


def _of_instead(place: Place, column: Column, table: TableFile) -> Iterator[Mistake]:
    """They take the place of a key's values, and may be empty as those: a variant."""
    for name in column.instead:
        yield from place.unknown("key", name, table.key)


def _of_elsewhere(place: Place, column: Column) -> Iterator[Mistake]:
    if not column.elsewhere:
        return
    yield from _of_selection(place, "elsewhere", column.elsewhere)
    if column.select or column.instead:
        yield place.mistake("elsewhere takes the place of select and instead: give one of them")


def _of_column(place: Place, column: Column, table: TableFile) -> Iterator[Mistake]:
    yield from place.at("unit").unknown("unit", column.unit, list(UNITS))
    plain = [other.name for other in table.column if not other.derive]
    if len(column.derive) > 1:
        told = f"derive: one derivation is accepted, not {', '.join(column.derive)}"
        yield place.at("derive").mistake(told)
    for name, operands in column.derive.items():
        yield from place.at("derive").unknown("derivation", name, DERIVATIONS)
        if len(operands) != 2:
            yield place.at("derive").mistake(f"{name} takes two columns, not {len(operands)}")
        for operand in operands:
            yield from place.at("derive").unknown("column", operand, plain)
    if len(column.published_from) not in (0, 2):
        yield place.at("published_from").mistake(
            f"published_from takes two columns, not {len(column.published_from)}"
        )
    for name in column.published_from:
        yield from place.at("published_from").unknown("column", name, plain)
    if not column.derive:
        yield from place.at("metric").unknown("metric", column.metric, list(METRICS))
    yield from _of_unit(place, column)


def _of_unit(place: Place, column: Column) -> Iterator[Mistake]:
    """A unit that there is, and that isn't one of what the column shows."""
    if column.derive:
        what = next(iter(column.derive))
        fitting = _DERIVED_UNITS.get(what, ())
    elif column.share:
        what, fitting = "a share", units_of(FRACTION)
    elif column.metric in METRICS:
        what, fitting = column.metric, units_of(METRICS[column.metric].unit)
    else:
        return
    if fitting and column.unit in UNITS and column.unit not in fitting:
        told = f"unit {column.unit!r} doesn't fit {what}. Accepted: {', '.join(fitting)}"
        yield place.at("unit").mistake(told)
