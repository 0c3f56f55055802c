"""Which lines of the tables, and so which cells, a claim's tests name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from comparisons.comparison import Comparison, Line
from papers.expressions import Node, Row, columns_used
from papers.expressions.rows import passes
from papers.expressions.syntax import Place


def lines_used(tests: Iterable[Node], comparisons: Sequence[Comparison]) -> Iterator[Line]:
    """Lines may come more than once."""
    by_id = {comparison.id: comparison for comparison in comparisons}
    for test in tests:
        for place in columns_used(test):
            if place.column and place.table in by_id:
                yield from lines_of(place, by_id[place.table])


def lines_of(place: Place, comparison: Comparison) -> Iterator[Line]:
    """The filters that name a value choose; those that follow the row in hand take all."""
    fixed = [wanted for wanted in place.filters if not wanted.same]
    for line in comparison.lines:
        if line.column == place.column and all(
            passes(Row(line.key, {}), wanted, None) for wanted in fixed
        ):
            yield line
