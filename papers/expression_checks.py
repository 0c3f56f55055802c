"""Whether every table, column and key that a claim's or a check's test names is there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from papers.expressions import ExpressionError, columns_used, parse
from papers.expressions.syntax import Filter
from papers.expressions.syntax import Place as Named
from papers.mistakes import Mistake, Place
from papers.table_types import SELECTABLE, PublishedTable

Tables = Mapping[str, PublishedTable]
NOTHING_ADDED: Mapping[str, Collection[str]] = {}


def expression_mistakes(
    place: Place,
    text: str,
    tables: Tables,
    added: Mapping[str, Collection[str]] = NOTHING_ADDED,
    constants: Collection[str] = (),
) -> Iterator[Mistake]:
    """``added`` has the names that rows of a table have beside their columns."""
    try:
        named = columns_used(parse(text))
    except ExpressionError as error:
        yield place.mistake(str(error))
        return
    for one in dict.fromkeys(named):
        if one.table not in tables:
            yield from place.unknown("table", one.table, list(tables))
            continue
        yield from _of_filters(place, one, tables[one.table])
        columns = [column.name for column in tables[one.table].file.column]
        columns += sorted(added.get(one.table, ()))
        keys = tables[one.table].file.keys
        if one.column and one.column not in (*constants, *SELECTABLE, *keys):
            yield from place.unknown(f"column of {one.table}", one.column, columns)


def _of_filters(place: Place, named: Named, table: PublishedTable) -> Iterator[Mistake]:
    for wanted in named.filters:
        yield from place.unknown(f"key of {named.table}", wanted.key, table.file.keys)
        if wanted.key in table.file.keys:
            yield from _of_values(place, wanted, table)


def _of_values(place: Place, wanted: Filter, table: PublishedTable) -> Iterator[Mistake]:
    """A value that no published row has is a slip of the pen."""
    known = sorted({row.key[wanted.key] for row in table.rows})
    for value in wanted.values if known and wanted.symbol == "==" else ():
        yield from place.unknown(f"{wanted.key} in {table.file.id}", value, known)
