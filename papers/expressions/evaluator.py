"""The truth of a tree over a source of tables."""

from __future__ import annotations

import itertools
from typing import Literal, NamedTuple

from papers.expressions import comparing as cmp
from papers.expressions import logic as lg
from papers.expressions import quantities as q
from papers.expressions.comparing import NEGATED, Compared, Extreme
from papers.expressions.logic import Logic
from papers.expressions.numbers import Numbers
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Missing, Quantity, Truth
from papers.expressions.rows import TOLD, Rows, groups, more, together
from papers.expressions.syntax import Call, Chain, ExpressionError, Node, Operation, Place
from papers.expressions.wording import joined


class _Operand(NamedTuple):
    """A number, and the comparisons that were counted for it."""

    value: Quantity
    votes: list[Logic]


class Evaluator(Numbers):
    """Of comparisons and what joins them."""

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
                state=NEGATED[inner.state],
                why=_denied(node.operands[0], inner.why),
                logic=lg.joined("not", [inner.logic]),
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

    def _near(self, node: Call, rows: Rows | None) -> Truth:
        """At most so far below and at most so far above."""
        value, target, slack = (self._at(node, index, rows) for index in range(3))
        value = self._by.shown(value)
        why = self._words.nearness(node, (value, target, slack), rows or ())
        short = value.with_unit(self._words.unit(node.arguments[0], rows or ()))
        if not self._by.takes_apart:
            distance = q.absolute(q.subtract(value, target))
            return q.truth(q.compare(distance, "<=", slack), why, (distance, slack), short)
        value, target = q.paired(value, target)
        lowest, highest = q.add(target, q.negative(slack)), q.add(target, slack)
        ways = (self._by.compare(value, ">=", lowest), self._by.compare(value, "<=", highest))
        return _as_truth(cmp.together("and", ways), why, short)

    def _monotonic(self, node: Call, rows: Rows | None) -> Truth:
        values = [one.value for one in self._ordered(node, rows)]
        slack = self._at(node, 2, rows) if len(node.arguments) > 2 else q.exactly(0)
        if node.function == "falling":
            values = values[::-1]
        lower = q.add(q.exactly(1), q.negative(slack))
        steps = [
            self._by.compare(q.multiply(before, lower), "<=", after)
            for before, after in itertools.pairwise(values)
        ]
        shown = values[::-1] if node.function == "falling" else values
        why = self._words.ordered(node, shown, slack, rows or ())
        return _as_truth(cmp.together("and", steps), why)

    def _chain(self, node: Chain, rows: Rows | None) -> Truth:
        """Told are the links that decide it."""
        read = [self._operand(operand, rows) for operand in node.operands]
        links = []
        for index, symbol in enumerate(node.symbols):
            sides = (node.operands[index], node.operands[index + 1])
            values = (read[index].value, read[index + 1].value)
            why = self._words.compared(sides, values, symbol, rows or ())
            short = self._words.brief(sides, values, rows or (), self._by.shown)
            counted = bool(read[index].votes or read[index + 1].votes)
            found = self._link(sides, values, symbol, rows, counted)
            links.append(_as_truth(found, why, short))
        state = together([link.state for link in links])
        votes = [vote for one in read for vote in one.votes]
        logic = lg.joined("and", [*votes, *(link.logic for link in links)])
        deciding = [link for link in links if link.state == state]
        why = joined([link.why for link in deciding])
        return q.truth(state, why, links, deciding[0].short, logic)

    def _operand(self, node: Node, rows: Rows | None) -> _Operand:
        first = len(self._votes)
        value = self._by.shown(self.number(node, rows))
        votes, self._votes[first:] = self._votes[first:], []
        return _Operand(value, votes)

    def _link(
        self,
        sides: tuple[Node, Node],
        values: tuple[Quantity, Quantity],
        symbol: str,
        rows: Rows | None,
        counted: bool,
    ) -> Compared:
        """What was ``counted`` from comparisons takes no part of the error beside theirs."""
        if counted:
            state = q.compare(values[0], symbol, values[1])
            return Compared(state, doubts=q.all_doubts(values))
        if not self._by.takes_apart or not any(map(_is_extreme, sides)):
            return self._by.compare(values[0], symbol, values[1])
        extremes = [
            self._extreme(side, rows) if _is_extreme(side) else Extreme("max", [value])
            for side, value in zip(sides, values, strict=True)
        ]
        return cmp.compare_extremes(self._by, extremes[0], symbol, extremes[1])

    def _both(self, node: Operation, rows: Rows | None) -> Truth:
        """What decides alone decides, whatever the other side lacks; and what may yet is open."""
        deciding = FAILS if node.symbol == "and" else HOLDS
        found: list[Truth] = []
        lacking: list[Missing] = []
        for operand in node.operands:
            try:
                found.append(self.truth(operand, rows))
            except Missing as missing:
                lacking.append(missing)
        decisive = [truth for truth in found if truth.state == deciding]
        kind: Literal["and", "or"] = "and" if node.symbol == "and" else "or"
        logic = lg.joined(kind, [truth.logic for truth in found])
        if decisive:
            return decisive[0]._replace(logic=logic)
        unclear = any(t.state == UNCLEAR for t in found)
        if lacking and not unclear:
            raise lacking[0]
        state = UNCLEAR if unclear else NEGATED[deciding]
        why = f" {node.symbol} ".join([*(t.why for t in found), *map(str, lacking)])
        return q.truth(state, why, found, " and ".join(t.short for t in found if t.short), logic)

    def _quantified(self, node: Call, rows: Rows | None) -> Truth:
        judged, lacking = self.judge_rows(node, rows)
        counts = {s: [where for where, t in judged if t.state == s] for s in NEGATED}
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
        kind: Literal["and", "or"] = "and" if node.function == "every" else "or"
        logic = lg.joined(kind, [t.logic for _, t in judged])
        short = f"{len(counts[HOLDS])} of {len(judged)} hold"
        return q.truth(state, ", ".join(told), [t for _, t in judged], short, logic)

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


def _is_extreme(node: Node) -> bool:
    return isinstance(node, Call) and node.function in ("abs", "spread", "max", "min")


def _as_truth(found: Compared, why: str, short: str = "") -> Truth:
    doubts = found.doubts if found.state == UNCLEAR else q.NO_DOUBTS
    return Truth(found.state, why, doubts, short, found.logic)


def _denied(node: Node, why: str) -> str:
    """A place that is or isn't out of memory reads the same either way."""
    told_as_it_is = isinstance(node, Call) and node.function == "oom"
    return why if told_as_it_is else f"not so: {why}"
