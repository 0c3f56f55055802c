"""What was compared, in words: where a number stands, what it is, and what was expected of it.

TF-TRT INT8 of Table 9 (model vgg16) is 5,718 items/s, expected more than 6,000 items/s
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

from papers.expressions import quantities as q
from papers.expressions.quantities import Headings, Quantity, Row
from papers.expressions.rows import Rows
from papers.expressions.syntax import Call, Filter, Name, Node, Number, Operation, Place

EXPECTED = ", expected "
LONGEST = 240
"""Of the words for one side of a comparison."""
_EXPECTED = {"<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least "}
_EXPECTED |= {"==": "", "!=": "anything but "}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_OF = {
    "max": "largest", "min": "smallest", "mean": "mean", "median": "median",
    "spread": "largest over smallest", "abs": "absolute",
}  # fmt: skip
_SIGNS = {"+": "+", "-": "-", "*": "×", "/": "/"}
_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


class Wording:
    """Words for nodes, by the headings of the tables that they name."""

    def __init__(self, headings: Headings, constants: Mapping[str, float]) -> None:
        self._headings = headings
        self._constants = constants

    def compared(
        self, sides: tuple[Node, Node], values: tuple[Quantity, Quantity], symbol: str, rows: Rows
    ) -> str:
        """What stands in a table is the subject; a bare number is what was expected of it."""
        if not self._reads(sides[0]) and self._reads(sides[1]):
            sides, values, symbol = sides[::-1], values[::-1], _MIRRORED[symbol]
        subject, bound = sides
        expected = _EXPECTED[symbol] + self._expected(subject, bound, values[1], rows)
        return f"{self.stated(subject, values[0], rows)}{EXPECTED}{expected}"

    def nearness(self, node: Call, values: tuple[Quantity, Quantity, Quantity], rows: Rows) -> str:
        """``near``: what it is, what it should be, how far off it may be."""
        subject, target, slack = node.arguments
        told = self.stated(subject, values[0], rows)
        expected = self._expected(subject, target, values[1], rows)
        if isinstance(slack, Name):
            return f"{told}, expected {expected} ({_spaced(slack.name)} {values[2]})"
        return f"{told}, expected {expected} (within {values[2]})"

    def brief(
        self,
        sides: tuple[Node, Node],
        values: tuple[Quantity, Quantity],
        rows: Rows,
        shown: Callable[[Quantity], Quantity],
    ) -> str:
        """The number of what was compared; of two that were measured, how many times the other."""
        both = all(self._measured(*side) for side in zip(sides, values, strict=True))
        if both and values[1].value:
            return shown(q.divide(*values)).with_unit("×")
        index = 0 if self._reads(sides[0]) or not self._reads(sides[1]) else 1
        return values[index].with_unit(self.unit(sides[index], rows))

    def _measured(self, node: Node, value: Quantity) -> bool:
        return value.form is not None and self._reads(node)

    def unit(self, node: Node, rows: Rows) -> str:
        """That a number is shown with."""
        return self._unit(node, rows, shown=True)

    def ordered(self, node: Call, values: Sequence[Quantity], slack: Quantity, rows: Rows) -> str:
        """``rising`` and ``falling``: the values along the key."""
        what, key = node.arguments[:2]
        other = "rise" if node.function == "falling" else "fall"
        listed = ", ".join(str(q.exactly(value.value)) for value in values)
        unit = self._unit(what, rows, shown=True)
        more = f" by more than {100 * slack.value:g} %" if slack.value else ""
        told = f"{self.label(what, rows)} along {self.label(key, rows)} is {listed} {unit}".strip()
        return f"{told}, expected never to {other}{more}"

    def counted(self, table: str, holding: int, judged: int) -> str:
        """``3 of 4 hold in Table 6``."""
        of = f" in {self.table(table)}" if self.table(table) else ""
        return f"{holding} of {judged} hold{of}"

    def stated(self, node: Node, value: Quantity, rows: Rows) -> str:
        """``speedup is 0.93 ×``; a literal is itself."""
        if isinstance(node, Number):
            return str(value)
        return f"{self.label(node, rows)} is {value.with_unit(self._unit(node, rows, shown=True))}"

    def table(self, table: str) -> str:
        return self._headings[table].name if table in self._headings else ""

    def label(self, node: Node, rows: Rows = ()) -> str:
        """A column's label, and an expression's in those of its columns."""
        text = self._label(node, rows)
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"

    def _label(self, node: Node, rows: Rows) -> str:
        if isinstance(node, Number):
            return _plain(node.value)
        if isinstance(node, Name):
            return self._column(_table_of(rows), node.name)
        if isinstance(node, Place):
            return self._place(node, rows)
        if isinstance(node, Operation):
            return self._operation(node, rows)
        return self._function(node, rows) if isinstance(node, Call) else ""

    def _place(self, node: Place, rows: Rows) -> str:
        """The table goes without saying where it is that of the row in hand."""
        text = self._column(node.table, node.column)
        if node.table != _table_of(rows):
            text += f" of {self.table(node.table) or node.table}"
        fixed = ", ".join(_filter(one) for one in node.filters if not one.same)
        return f"{text} ({fixed})" if fixed else text

    def _operation(self, node: Operation, rows: Rows) -> str:
        parts = [self._part(one, node, index, rows) for index, one in enumerate(node.operands)]
        if node.symbol == "negative":
            return f"-{parts[0]}"
        return f" {_SIGNS.get(node.symbol, node.symbol)} ".join(parts)

    def _part(self, node: Node, outer: Operation, index: int, rows: Rows) -> str:
        text = self._label(node, rows)
        if not isinstance(node, Operation) or node.symbol == "negative":
            return text
        inner, around = _STRENGTH.get(node.symbol, 0), _STRENGTH.get(outer.symbol, 3)
        tight = inner > around or (inner == around and (not index or outer.symbol in "+*"))
        return text if tight else f"({text})"

    def _function(self, node: Call, rows: Rows) -> str:
        first = node.arguments[0]
        if node.function == "abs" and isinstance(first, Operation) and first.symbol == "-":
            ends = " and ".join(self._label(one, rows) for one in first.operands)
            return f"distance between {ends}"
        text = self._label(first, rows)
        if node.function in ("trend", "rising", "falling"):
            return f"trend of {text} along {self._label(node.arguments[1], rows)}"
        if node.function == "share":
            return "share of rows"
        of = "of " if node.function == "spread" or isinstance(first, Operation) else ""
        return f"{_OF.get(node.function, node.function)} {of}{text}"

    def _column(self, table: str, name: str) -> str:
        columns = self._headings[table].columns if table in self._headings else {}
        return columns[name].label if name in columns else _spaced(name)

    def _expected(self, subject: Node, bound: Node, value: Quantity, rows: Rows) -> str:
        """The number, what it comes from where that is a table, and the tolerances in it."""
        text = value.with_unit(self._unit(subject, rows, shown=self._prints(bound, rows)))
        if self._reads(bound):
            text += f" = {self.label(bound, rows)}"
        named = {name: self._constants[name] for name in self._names(bound)}
        if isinstance(bound, Name) and named:
            return f"{text} (the {_spaced(bound.name)})"
        told = ", ".join(f"{_spaced(name)} {number:g}" for name, number in named.items())
        return f"{text} ({told})" if told else text

    def _reads(self, node: Node) -> bool:
        """Whether a number of a table is in it."""
        if isinstance(node, Name):
            return node.name not in self._constants
        return isinstance(node, Place) or any(self._reads(one) for one in _inside(node))

    def _prints(self, node: Node, rows: Rows) -> bool:
        """Whether a column of a table of the paper is in it, whose unit is then the printed one."""
        if isinstance(node, Name | Place):
            return bool(self._unit(node, rows, shown=True))
        return any(self._prints(one, rows) for one in _inside(node))

    def _names(self, node: Node) -> list[str]:
        """The constants in it."""
        if isinstance(node, Name):
            return [node.name] if node.name in self._constants else []
        return [name for one in _inside(node) for name in self._names(one)]

    def _unit(self, node: Node, rows: Rows, shown: bool) -> str:
        """Nothing where a quotient, a product or a rank has none that is known."""
        if isinstance(node, Name | Place):
            table = node.table if isinstance(node, Place) else _table_of(rows)
            column = node.column if isinstance(node, Place) else node.name
            columns = self._headings[table].columns if table in self._headings else {}
            if column not in columns:
                return ""
            return columns[column].shown if shown else columns[column].unit
        if isinstance(node, Operation) and node.symbol in ("+", "-"):
            units = {self._unit(one, rows, shown) for one in node.operands if self._reads(one)}
            unit = units.pop() if len(units) == 1 else ""
            return "points" if unit == "%" and node.symbol == "-" else unit
        if isinstance(node, Operation) and node.symbol == "negative":
            return self._unit(node.operands[0], rows, shown)
        if isinstance(node, Call) and node.function in ("abs", "max", "min", "mean", "median"):
            return self._unit(node.arguments[0], rows, shown)
        return ""


def joined(comparisons: Sequence[str]) -> str:
    """Sentences about one subject become one: ``x is 3, expected more than 1 and at most 2``."""
    told = comparisons[0]
    for before, after in itertools.pairwise(comparisons):
        subject, _, expected = after.partition(EXPECTED)
        same = before.partition(EXPECTED)[0] == subject
        told += f" and {expected if same else after}"
    return told


def _inside(node: Node) -> tuple[Node, ...]:
    if isinstance(node, Call):
        return node.arguments
    return node.operands if isinstance(node, Operation) else ()


def _table_of(rows: Rows) -> str:
    first: Row | None = rows[0] if rows else None
    return first.table if first else ""


def _filter(wanted: Filter) -> str:
    symbol = "" if wanted.symbol == "==" else f"{wanted.symbol} "
    return f"{wanted.key} {symbol}{' or '.join(wanted.values)}"


def _plain(value: float) -> str:
    """Large powers as such: 2^30, 10^12."""
    for base in (2, 10):
        power = round(math.log(value, base)) if value >= 1e6 else 0
        if power and value == base**power:
            return f"{base}^{power}"
    return f"{value:,.0f}" if value == int(value) and abs(value) < 1e15 else f"{value:.6g}"


def _spaced(name: str) -> str:
    return name.replace("_", " ")
