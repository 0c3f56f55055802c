"""Evaluating a tree over a source of tables."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Mapping, Sequence

from manifests.suggest import nearest
from papers.expressions import quantities as q
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Missing, Quantity, Row, Truth
from papers.expressions.rows import (
    TOLD,
    Rows,
    aggregate,
    groups,
    more,
    order_key,
    passes,
    together,
    trend,
    value_of,
)
from papers.expressions.syntax import (
    Call,
    Chain,
    ExpressionError,
    Name,
    Node,
    Number,
    Operation,
    Place,
)
from papers.expressions.wording import Wording, joined

MOST_STEPS = 200_000
_NEGATED = {HOLDS: FAILS, FAILS: HOLDS, UNCLEAR: UNCLEAR}
_AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "max": max, "min": min, "mean": statistics.fmean, "median": statistics.median,
}  # fmt: skip


class Evaluator:
    """``constants`` are what bare names mean outside of rows, such as ``tolerance``."""

    def __init__(self, source: q.Source, constants: Mapping[str, float] | None = None) -> None:
        self._source = source
        self._constants = constants or {}
        self._words = Wording(source.headings, self._constants)
        self._steps = 0

    def truth(self, node: Node, rows: Rows | None = None) -> Truth:
        """Raises Missing when nothing that it needs is there, ExpressionError for no truth."""
        self._count()
        if isinstance(node, Chain):
            return self._chain(node, rows)
        if isinstance(node, Operation) and node.symbol in ("and", "or"):
            return self._both(node, rows)
        if isinstance(node, Operation) and node.symbol == "not":
            inner = self.truth(node.operands[0], rows)
            return inner._replace(
                state=_NEGATED[inner.state], why=_denied(node.operands[0], inner.why)
            )
        if isinstance(node, Call) and node.function in ("every", "some"):
            return self._quantified(node, rows)
        if isinstance(node, Call) and node.function in ("rising", "falling"):
            return self._monotonic(node, rows)
        if isinstance(node, Call) and node.function == "near":
            return self._near(node, rows)
        if isinstance(node, Call) and node.function == "oom":
            return self._out_of_memory(node.arguments[0], rows)
        raise ExpressionError("a number stands where a comparison should")

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
            return q.add(first, q.negative(second))
        return {"+": q.add, "*": q.multiply, "/": q.divide}[node.symbol](first, second)

    def _function(self, node: Call, rows: Rows | None) -> Quantity:
        if node.function == "abs":
            return q.absolute(self._at(node, 0, rows))
        if node.function == "share":
            return self._share(node, rows)
        if node.function == "trend":
            return trend(self._ordered(node, rows))
        if node.function == "spread":
            known = self._known(node.arguments[0], rows)
            return q.divide(aggregate(max, known), aggregate(min, known))
        if node.function in _AGGREGATES:
            return aggregate(_AGGREGATES[node.function], self._known(node.arguments[0], rows))
        raise ExpressionError(f"{node.function} is true or false, and no number")

    def _ordered(self, node: Call, rows: Rows | None) -> list[Quantity]:
        """Known values in the order of a key."""
        values, key = node.arguments[:2]
        if not isinstance(key, Name):
            raise ExpressionError(f"{node.function} orders by a key's name")
        chosen = self._select(values, rows) if isinstance(values, Place) else rows
        if chosen is None:
            raise ExpressionError(f"{node.function} needs the rows of a table")
        column = Name(values.column) if isinstance(values, Place) else values
        pairs = [(order_key(row, key.name), self._or_reason(column, [row])) for row in chosen]
        known = [(at, value) for at, value in pairs if isinstance(value, Quantity)]
        if len(known) < 2:
            raise Missing(next((v for _, v in pairs if isinstance(v, str)), "fewer than two rows"))
        return [value for _, value in sorted(known, key=lambda pair: pair[0])]

    def _near(self, node: Call, rows: Rows | None) -> Truth:
        value, target, slack = (self._at(node, index, rows) for index in range(3))
        distance = q.absolute(q.add(value, q.negative(target)))
        why = self._words.nearness(node, (value, target, slack), rows or ())
        return q.truth(q.compare(distance, "<=", slack), why, (distance, slack))

    def _monotonic(self, node: Call, rows: Rows | None) -> Truth:
        values = self._ordered(node, rows)
        slack = self._at(node, 2, rows) if len(node.arguments) > 2 else q.exactly(0)
        if node.function == "falling":
            values = values[::-1]
        lower = q.add(q.exactly(1), q.negative(slack))
        steps = [
            q.compare(q.multiply(before, lower), "<=", after)
            for before, after in itertools.pairwise(values)
        ]
        shown = values[::-1] if node.function == "falling" else values
        why = self._words.ordered(node, shown, slack, rows or ())
        return q.truth(together(steps), why, values)

    def _chain(self, node: Chain, rows: Rows | None) -> Truth:
        """Told are the links that decide it."""
        numbers = [self.number(operand, rows) for operand in node.operands]
        links = []
        for index, symbol in enumerate(node.symbols):
            sides = (node.operands[index], node.operands[index + 1])
            values = (numbers[index], numbers[index + 1])
            why = self._words.compared(sides, values, symbol, rows or ())
            links.append(q.truth(q.compare(values[0], symbol, values[1]), why, values))
        state = together([link.state for link in links])
        return q.truth(state, joined([link.why for link in links if link.state == state]), links)

    def _both(self, node: Operation, rows: Rows | None) -> Truth:
        """What decides alone decides, whatever the other side lacks."""
        deciding = FAILS if node.symbol == "and" else HOLDS
        found: list[Truth] = []
        lacking: list[Missing] = []
        for operand in node.operands:
            try:
                found.append(self.truth(operand, rows))
            except Missing as missing:
                lacking.append(missing)
        decisive = [truth for truth in found if truth.state == deciding]
        if decisive:
            return decisive[0]
        if lacking:
            raise lacking[0]
        state = UNCLEAR if any(t.state == UNCLEAR for t in found) else _NEGATED[deciding]
        return q.truth(state, f" {node.symbol} ".join(truth.why for truth in found), found)

    def _quantified(self, node: Call, rows: Rows | None) -> Truth:
        judged, lacking = self.judge_rows(node, rows)
        counts = {s: [where for where, t in judged if t.state == s] for s in _NEGATED}
        state = together([t.state for _, t in judged])
        if node.function == "some":
            state = HOLDS if counts[HOLDS] else UNCLEAR if counts[UNCLEAR] else FAILS
        assert isinstance(node.arguments[0], Place)
        told = [self._words.counted(node.arguments[0].table, len(counts[HOLDS]), len(judged))]
        against = [f"{where}: {t.why}" for where, t in judged if t.state == FAILS]
        if node.function == "every" and against:
            told.append("but not " + "; ".join(against[:TOLD]) + more(against))
        if counts[UNCLEAR]:
            told.append(f"{len(counts[UNCLEAR])} undecided")
        if lacking:
            told.append(f"{len(lacking)} without a number")
        return q.truth(state, ", ".join(told), [t for _, t in judged])

    def _share(self, node: Call, rows: Rows | None) -> Quantity:
        judged, _ = self.judge_rows(node, rows)
        certain = sum(truth.state == HOLDS for _, truth in judged)
        possible = certain + sum(truth.state == UNCLEAR for _, truth in judged)
        share, most = certain / len(judged), possible / len(judged)
        return Quantity(share, share, most, q.all_doubts(t for _, t in judged))

    def judge_rows(
        self, node: Call, rows: Rows | None = None
    ) -> tuple[list[tuple[str, Truth]], list[str]]:
        """A truth for each row or group, with where it is; and the reasons for none."""
        place, condition = node.arguments
        assert isinstance(place, Place)
        judged, lacking = [], []
        for where, group in groups(self._select(place, rows), place.by):
            try:
                judged.append((where, self.truth(condition, group)))
            except Missing as missing:
                lacking.append(str(missing))
        if not judged:
            raise Missing(lacking[0] if lacking else f"no such row of {place.table}")
        return judged, lacking

    def _out_of_memory(self, node: Node, rows: Rows | None) -> Truth:
        values = self._values(node, rows)
        if len(values) != 1:
            raise ExpressionError(f"oom takes one place, not {len(values)}")
        (value,) = values
        if isinstance(value, Quantity):
            return Truth(FAILS, self._words.stated(node, value, rows or ()))
        if value.partition(":")[0] != "oom":
            raise Missing(value)
        return Truth(HOLDS, f"{self._words.label(node, rows or ())} is out of memory")


def _denied(node: Node, why: str) -> str:
    """A place that is or isn't out of memory reads the same either way."""
    told_as_it_is = isinstance(node, Call) and node.function == "oom"
    return why if told_as_it_is else f"not so: {why}"
