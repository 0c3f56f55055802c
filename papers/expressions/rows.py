"""Rows of tables: choosing, grouping, ordering them, and what follows from many values."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from manifests.suggest import nearest
from papers.expressions import quantities as q
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Missing, Quantity, Row
from papers.expressions.syntax import ExpressionError, Filter

TOLD = 3
"""How many of the rows that speak against a statement are named."""
Rows = Sequence[Row]


def more(items: Sequence[str]) -> str:
    return f" and {len(items) - TOLD} more" if len(items) > TOLD else ""


def together(states: Sequence[str]) -> str:
    """Of an "and": what fails decides, then what is unclear."""
    return FAILS if FAILS in states else UNCLEAR if UNCLEAR in states else HOLDS


def aggregate(function: Callable[[Sequence[float]], float], known: Sequence[Quantity]) -> Quantity:
    """Monotonic functions take the ends of intervals to the ends of theirs."""
    value, low, high = (
        float(function(ends)) for ends in zip(*(one[:3] for one in known), strict=True)
    )
    return Quantity(value, low, high, q.all_doubts(known))


class Placed(NamedTuple):
    """A value, and where it stands in the order that its trend is asked along."""

    at: tuple[float, str]
    value: Quantity


def trend(placed: Sequence[Placed]) -> Quantity:
    """Kendall's tau: pairs in order less pairs out of order, over all pairs."""
    low = high = point = 0
    for first, second in ordered_pairs(placed):
        point += (second.value > first.value) - (second.value < first.value)
        low += 1 if second.low > first.high else 0 if _equal(first, second) else -1
        high += -1 if second.high < first.low else 0 if _equal(first, second) else 1
    pairs = len(placed) * (len(placed) - 1) // 2
    doubts = q.all_doubts(one.value for one in placed)
    return Quantity(point / pairs, low / pairs, high / pairs, doubts)


def ordered_pairs(placed: Sequence[Placed]) -> Iterator[tuple[Quantity, Quantity]]:
    """Those of which one stands before the other."""
    for first, second in itertools.combinations(placed, 2):
        if first.at != second.at:
            yield first.value, second.value


def _equal(first: Quantity, second: Quantity) -> bool:
    return first.low == first.high == second.low == second.high


def groups(rows: Rows, by: tuple[str, ...]) -> list[tuple[str, list[Row]]]:
    """Rows that share the values of ``by``, or each row alone."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        names = by or tuple(row.key)
        where = ", ".join(f"{name} {_text(row, name)}" for name in names)
        groups.setdefault(where, []).append(row)
    return list(groups.items())


def _text(row: Row, key: str) -> str:
    if key not in row.key:
        raise ExpressionError(
            f"no key {key!r}.{nearest(key, row.key)} Accepted: {', '.join(row.key)}"
        )
    return row.key[key]


def place_of(row: Row, name: str) -> tuple[float, str]:
    """Where a row stands along a key, or along a column whose numbers are exact.

    Raises Missing where such a column has no number there, or one that could be another.
    """
    if name in row.key or name not in row.values:
        return order_key(row, name)
    found = row.values[name]
    if isinstance(found, str):
        raise Missing(found)
    if not found.certain:
        raise Missing(f"rows can't be ordered by {name}: it isn't exact")
    return (found.value, "")


def order_key(row: Row, key: str) -> tuple[float, str]:
    text = _text(row, key)
    return (float(text), "") if text.isascii() and text.isdigit() else (0.0, text)


def value_of(row: Row, name: str) -> Quantity | str:
    if name in row.values:
        return row.values[name]
    if name in row.key and row.key[name].isascii() and row.key[name].isdigit():
        return q.exactly(float(row.key[name]))
    raise ExpressionError(
        f"no column {name!r}.{nearest(name, row.values)} Accepted: {', '.join(row.values)}"
    )


def passes(row: Row, wanted: Filter, scope: Rows | None) -> bool:
    text = _text(row, wanted.key)
    if wanted.same:
        if not scope:
            raise ExpressionError(f"[{wanted.key}] means the row in hand, and there is none here")
        return text == _text(scope[0], wanted.key)
    if wanted.symbol in ("==", "!="):
        return (text in wanted.values) == (wanted.symbol == "==")
    number, bound = order_key(row, wanted.key), wanted.values[0]
    if number[1] or not (bound.isascii() and bound.isdigit()):
        raise ExpressionError(f"[{wanted.key}{wanted.symbol}{bound}] compares what is no number")
    return q.compare(q.exactly(number[0]), wanted.symbol, q.exactly(float(bound))) == HOLDS
