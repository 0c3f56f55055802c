"""The numbers of an expression over a source of tables."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from manifests.suggest import nearest
from papers.expressions import comparing as cmp
from papers.expressions import logic as lg
from papers.expressions import quantities as q
from papers.expressions.comparing import Comparing, Extreme
from papers.expressions.logic import Logic
from papers.expressions.quantities import HOLDS, UNCLEAR, Missing, Quantity, Row, Truth
from papers.expressions.rows import Placed, Rows, aggregate, passes, place_of, trend, value_of
from papers.expressions.syntax import (
    Call,
    ExpressionError,
    Name,
    Node,
    Number,
    Operation,
    Place,
)
from papers.expressions.wording import Wording

MOST_STEPS = 200_000
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "max": max, "min": min, "median": statistics.median,
}  # fmt: skip


class Numbers:
    """``constants`` are what bare names mean outside of rows, such as ``tolerance``."""

    def __init__(
        self,
        source: q.Source,
        constants: Mapping[str, float] | None = None,
        comparing: Comparing | None = None,
    ) -> None:
        self._source = source
        self._by: Comparing = comparing or cmp.ByIntervals()
        self._votes: list[Logic] = []
        self._constants = constants or {}
        self._words = Wording(source.headings, self._constants)
        self._steps = 0

    def number(self, node: Node, rows: Rows | None = None) -> Quantity:
        """Raises Missing, or ExpressionError where no number stands."""
        self._count()
        if isinstance(node, Number):
            return q.exactly(node.value)
        if isinstance(node, Name):
            return self._named(node.name, rows)
        if isinstance(node, Place):
            return self._one(self._values(node, rows), f"{node.table}.{node.column}")
        if isinstance(node, Operation):
            return self._arithmetic(node, rows)
        if isinstance(node, Call):
            return self._function(node, rows)
        raise ExpressionError("a comparison stands where a number should")

    def _count(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise ExpressionError(f"takes more than {MOST_STEPS:,} steps")

    def _at(self, node: Call, index: int, rows: Rows | None) -> Quantity:
        return self.number(node.arguments[index], rows)

    def _named(self, name: str, rows: Rows | None) -> Quantity:
        if name in self._constants:
            return q.exactly(self._constants[name])
        if rows is None:
            raise ExpressionError(
                f"{name!r} stands for nothing here.{nearest(name, self._constants)} "
                "A column needs its table: table.column"
            )
        return self._one([value_of(row, name) for row in rows], name)

    def _one(self, values: Sequence[Quantity | str], what: str) -> Quantity:
        if not values:
            raise Missing(f"no row for {what}")
        if len(values) != 1:
            raise ExpressionError(
                f"{what} has {len(values)} rows where one number should stand; narrow it with "
                "[key=value], or use every, some, max, min, mean, median"
            )
        (value,) = values
        if isinstance(value, str):
            raise Missing(value)
        return value

    def _select(self, place: Place, rows: Rows | None) -> list[Row]:
        found = []
        for row in self._source.rows(place.table):
            self._count()
            if all(passes(row, wanted, rows) for wanted in place.filters):
                found.append(row)
        return found

    def _values(self, node: Node, rows: Rows | None) -> list[Quantity | str]:
        """What an aggregate is given: a place's rows, or the rows in hand."""
        if isinstance(node, Place):
            return [value_of(row, node.column) for row in self._select(node, rows)]
        if rows is None:
            return [self.number(node, rows)]
        return [self._or_reason(node, [row]) for row in rows]

    def _or_reason(self, node: Node, rows: Rows) -> Quantity | str:
        try:
            return self.number(node, rows)
        except Missing as missing:
            return str(missing)

    def _known(self, node: Node, rows: Rows | None) -> list[Quantity]:
        values = self._values(node, rows)
        known = [value for value in values if isinstance(value, Quantity)]
        if not known:
            raise Missing(next((v for v in values if isinstance(v, str)), "no such row"))
        return known

    def _arithmetic(self, node: Operation, rows: Rows | None) -> Quantity:
        numbers = [self.number(operand, rows) for operand in node.operands]
        if node.symbol == "negative":
            return q.negative(numbers[0])
        first, second = numbers
        if node.symbol == "-":
            return q.subtract(first, second)
        return {"+": q.add, "*": q.multiply, "/": q.divide}[node.symbol](first, second)

    def _function(self, node: Call, rows: Rows | None) -> Quantity:
        if node.function == "abs":
            return q.absolute(self._at(node, 0, rows))
        if node.function == "share":
            return self._share(node, rows)
        if node.function == "trend":
            return self._trend(self._ordered(node, rows))
        if node.function == "spread":
            known = self._several(node.arguments[0], rows)
            return q.divide(aggregate(max, known), aggregate(min, known))
        if node.function == "mean":
            known = self._known(node.arguments[0], rows)
            return aggregate(statistics.fmean, known)._replace(form=q.mean_form(known))
        if node.function in _AGGREGATES:
            return aggregate(_AGGREGATES[node.function], self._known(node.arguments[0], rows))
        raise ExpressionError(f"{node.function} is true or false, and no number")

    def _several(self, node: Node, rows: Rows | None) -> list[Quantity]:
        """Known values of which there are two at least: one alone has no spread."""
        known = self._known(node, rows)
        if len(known) < 2:
            raise Missing("fewer than two rows")
        return known

    def _ordered(self, node: Call, rows: Rows | None) -> list[Placed]:
        """Known values in the order of a key, or of a column whose numbers are exact."""
        values, key = node.arguments[:2]
        if not isinstance(key, Name):
            raise ExpressionError(f"{node.function} orders by a key's name")
        chosen = self._select(values, rows) if isinstance(values, Place) else rows
        if chosen is None:
            raise ExpressionError(f"{node.function} needs the rows of a table")
        column = Name(values.column) if isinstance(values, Place) else values
        found = [self._placed(column, row, key.name) for row in chosen]
        known = [one for one in found if isinstance(one, Placed)]
        if len(known) < 2:
            raise Missing(next((v for v in found if isinstance(v, str)), "fewer than two rows"))
        return sorted(known, key=lambda one: one.at)

    def _placed(self, node: Node, row: Row, key: str) -> Placed | str:
        try:
            return Placed(place_of(row, key), self.number(node, [row]))
        except Missing as missing:
            return str(missing)

    def _trend(self, placed: Sequence[Placed]) -> Quantity:
        if not self._by.takes_apart:
            return trend(placed)
        tau, votes = cmp.trend_of_pairs(self._by, placed)
        self._votes.append(votes)
        return tau

    def _extreme(self, node: Node, rows: Rows | None) -> Extreme:
        """The values that a number is the largest or smallest of."""
        function = node.function if isinstance(node, Call) else ""
        if isinstance(node, Call) and function == "abs":
            inner = self._at(node, 0, rows)
            return Extreme("max", [inner, q.negative(inner)])
        if isinstance(node, Call) and function == "spread":
            known = self._several(node.arguments[0], rows)
            pairs = [q.divide(a, b) for a, b in itertools.permutations(known, 2)]
            return Extreme("max", pairs)
        if isinstance(node, Call) and function in ("max", "min"):
            kind: Literal["max", "min"] = "max" if function == "max" else "min"
            return Extreme(kind, self._known(node.arguments[0], rows))
        return Extreme("max", [self.number(node, rows)])

    def _share(self, node: Call, rows: Rows | None) -> Quantity:
        judged, _ = self.judge_rows(node, rows)
        certain = sum(truth.state == HOLDS for _, truth in judged)
        possible = certain + sum(truth.state == UNCLEAR for _, truth in judged)
        share, most = certain / len(judged), possible / len(judged)
        self._votes.append(lg.joined("votes", [truth.logic for _, truth in judged]))
        return Quantity(share, share, most, q.all_doubts(t for _, t in judged))

    def judge_rows(
        self, node: Call, rows: Rows | None = None
    ) -> tuple[list[tuple[str, Truth]], list[str]]:
        """A truth for each row or group, with where it is; and the reasons for none."""
        raise NotImplementedError
