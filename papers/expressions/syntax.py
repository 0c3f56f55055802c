"""From text to a tree. Bounded in length and depth, so that a hostile text is only an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple, NoReturn

from manifests.errors import RepliquantError
from manifests.suggest import nearest

LONGEST = 2000
DEEPEST = 40
FUNCTIONS = {
    "every": "rows", "some": "rows", "share": "rows",
    "max": "values", "min": "values", "mean": "values", "median": "values", "spread": "values",
    "trend": "ordered", "rising": "ordered", "falling": "ordered",
    "near": "numbers", "abs": "numbers", "oom": "place",
}  # fmt: skip
"""What each function takes: a set of rows and a condition, values, values and the key they are
ordered by (and a slack), numbers, or one place."""
_WORDS = ("and", "or", "not", "by")
_COMPARISONS = ("<=", ">=", "==", "!=", "<", ">", "=")
# A hyphen inside a name belongs to it (device-time, ptq-eager): a minus stands between spaces.
_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?![\w.]))|(?P<name>[A-Za-z0-9_]+(?:-[A-Za-z0-9_]+)*)"
    r"|(?P<symbol><=|>=|==|!=|[-+*/()\[\],.<>=])|(?P<end>$)|(?P<stray>.))",
    re.DOTALL,
)


class ExpressionError(RepliquantError, ValueError):
    """An expression that can't be used; the message says where and what is accepted."""


class Filter(NamedTuple):
    """``batch_size>=32``; ``same`` takes the value that the row in hand has for this key."""

    key: str
    symbol: str
    values: tuple[str, ...]
    same: bool = False


class Number(NamedTuple):
    """A literal."""

    value: float


class Name(NamedTuple):
    """A column or key of the rows in hand, or a constant such as ``tolerance``."""

    name: str


class Place(NamedTuple):
    """Rows of a table, and one of its columns unless only rows are meant."""

    table: str
    column: str
    filters: tuple[Filter, ...]
    by: tuple[str, ...] = ()


class Call(NamedTuple):
    """A function and what it is given."""

    function: str
    arguments: tuple[Node, ...]


class Operation(NamedTuple):
    """``symbol`` is one of + - * / and or not negative."""

    symbol: str
    operands: tuple[Node, ...]


class Chain(NamedTuple):
    """``a < b <= c``: every comparison of neighbours."""

    operands: tuple[Node, ...]
    symbols: tuple[str, ...]


Node = Number | Name | Place | Call | Operation | Chain


def parse(text: str) -> Node:
    """Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression of {len(text):,} characters; {LONGEST:,} are allowed")
    return _Parser(list(_tokens(text))).parse()


def tables_used(node: Node) -> set[str]:
    """Ids of all tables that an expression names."""
    return {place.table for place in _places(node)}


def columns_used(node: Node) -> list[Place]:
    """Every place that it names, and every bare name as a column of the rows it stands in."""
    return list(_places(node))


def _places(node: Node, rows: Place | None = None) -> Iterator[Place]:
    if isinstance(node, Place):
        yield node
    elif isinstance(node, Name) and rows is not None:
        yield Place(rows.table, node.name, rows.filters)
    elif isinstance(node, Call) and FUNCTIONS[node.function] == "rows":
        first = node.arguments[0]
        assert isinstance(first, Place)
        yield from _places(node.arguments[1], first)
        yield first
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield from _places(argument, rows)
    elif isinstance(node, Operation | Chain):
        for operand in node.operands:
            yield from _places(operand, rows)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _tokens(text: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(text):
        kind = found.lastgroup or "end"
        if kind == "stray":
            raise ExpressionError(
                f"unexpected {found[kind]!r} at character {found.start(kind) + 1}"
            )
        if kind == "end":
            return
        yield _Token(kind, found[kind], found.start(kind) + 1)


class _Parser:
    """Recursive descent: or, and, not, comparison, sum, product, sign, atom."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.depth = 0

    def parse(self) -> Node:
        node = self._or()
        if self._next() is not None:
            self._fail("the end")
        return node

    def _next(self) -> _Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def _fail(self, expected: str) -> NoReturn:
        token = self._next()
        found = f"{token.text!r} at character {token.at}" if token else "the end"
        raise ExpressionError(f"found {found} where {expected} should stand")

    def _take(self, *texts: str) -> str:
        """The next token's text when it is one of these, else nothing."""
        token = self._next()
        if token is None or token.text not in texts:
            return ""
        self.position += 1
        return token.text

    def _need(self, text: str) -> None:
        if not self._take(text):
            self._fail(repr(text))

    def _name(self, what: str) -> str:
        token = self._next()
        if token is None or token.kind == "symbol" or token.text in _WORDS:
            self._fail(what)
        self.position += 1
        return token.text

    def _or(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError(f"nested more than {DEEPEST} deep")
        node = self._and()
        while self._take("or"):
            node = Operation("or", (node, self._and()))
        self.depth -= 1
        return node

    def _and(self) -> Node:
        node = self._not()
        while self._take("and"):
            node = Operation("and", (node, self._not()))
        return node

    def _not(self) -> Node:
        negations = 0
        while self._take("not"):
            negations += 1
        node = self._comparison()
        return Operation("not", (node,)) if negations % 2 else node

    def _comparison(self) -> Node:
        operands, symbols = [self._sum()], []
        while symbol := self._take(*_COMPARISONS):
            symbols.append("==" if symbol == "=" else symbol)
            operands.append(self._sum())
        return Chain(tuple(operands), tuple(symbols)) if symbols else operands[0]

    def _sum(self) -> Node:
        node = self._product()
        while symbol := self._take("+", "-"):
            node = Operation(symbol, (node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._sign()
        while symbol := self._take("*", "/"):
            node = Operation(symbol, (node, self._sign()))
        return node

    def _sign(self) -> Node:
        negative = False
        while self._take("-"):
            negative = not negative
        node = self._atom()
        return Operation("negative", (node,)) if negative else node

    def _atom(self) -> Node:
        if self._take("("):
            node = self._or()
            self._need(")")
            return node
        token = self._next()
        if token is not None and token.kind == "number":
            self.position += 1
            return Number(float(token.text))
        name = self._name("a number, a table, a function or a column")
        if self._take("("):
            return self._call(name)
        if self._take("."):
            return Place(name, self._name("a column"), self._filters())
        return Name(name)

    def _call(self, name: str) -> Node:
        if name not in FUNCTIONS:
            raise ExpressionError(
                f"no function {name!r}.{nearest(name, FUNCTIONS)} Accepted: {', '.join(FUNCTIONS)}"
            )
        takes = FUNCTIONS[name]
        arguments: list[Node] = [self._rows() if takes == "rows" else self._or()]
        while self._take(","):
            arguments.append(self._or())
        self._need(")")
        _check_count(name, takes, len(arguments))
        return Call(name, tuple(arguments))

    def _rows(self) -> Place:
        table = self._name("a table")
        filters = self._filters()
        by: list[str] = []
        while self._take("by") or (by and self._take("and")):
            by.append(self._name("a key"))
        return Place(table, "", filters, tuple(by))

    def _filters(self) -> tuple[Filter, ...]:
        if not self._take("["):
            return ()
        found = [self._filter()]
        while self._take(","):
            found.append(self._filter())
        self._need("]")
        return tuple(found)

    def _filter(self) -> Filter:
        key = self._name("a key")
        symbol = self._take(*_COMPARISONS)
        if not symbol:
            return Filter(key, "==", (), same=True)
        values = [self._name("a value")]
        while self._take("or"):
            values.append(self._name("a value"))
        return Filter(key, "==" if symbol == "=" else symbol, tuple(values))


_COUNTS = {"rows": (2, 2), "values": (1, 1), "ordered": (2, 3), "place": (1, 1)}
_NUMBERS = {"near": (3, 3), "abs": (1, 1)}


def _check_count(name: str, takes: str, count: int) -> None:
    low, high = _NUMBERS[name] if takes == "numbers" else _COUNTS[takes]
    if not low <= count <= high:
        wanted = str(low) if low == high else f"{low} or {high}"
        raise ExpressionError(f"{name} takes {wanted} arguments, not {count}")
