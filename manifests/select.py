"""The ``-k`` language: choosing cells by words, comparisons, ``and``, ``or``, ``not``.

ptq                           a cell one of whose values contains "ptq"
framework=pytorch             a field equals a value; == and != too
batch_size>=32                numbers compare as numbers
technique=ptq-eager,ptq-fx    one of several values
qat and not (train or gpu)    usual precedence: not, and, or
"""

from __future__ import annotations

import operator
import re
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from manifests.cell import Cell
from manifests.errors import RepliquantError
from manifests.suggest import check, nearest

FIELDS = (
    "id", "study", "task", "framework", "technique", "variant", "feature", "model", "dataset",
    "image_size", "batch_size", "device", "seed", "repeat", "protocol", "tier", "environment",
)  # fmt: skip
NUMERIC = ("image_size", "batch_size", "seed", "repeat")
_TOKEN = re.compile(r"\s*(?:(\(|\)|==|!=|<=|>=|=|<|>)|([^\s()=!<>]+)|(\S))")
_COMPARE: Dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_SYMBOLS = ("=", "==", "!=", *_COMPARE)
_NO_VALUE = ("(", ")", "and", "or", *_SYMBOLS)
_DEEPEST = 50

Predicate = Callable[[Cell], bool]


class SelectionError(RepliquantError, ValueError):
    """An expression that can't be used; the message says what is accepted instead."""


class _Word(NamedTuple):
    """A value that some cell has to have; ``field`` is empty for a bare word."""

    text: str
    test: Predicate
    field: str = ""


class Selector:
    """A parsed expression. ``Selector("")`` accepts every cell."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.words: List[_Word] = []
        tokens = _tokens(expression)
        self._accepts = _Parser(tokens, self.words).parse() if tokens else _everything

    def accepts(self, cell: Cell) -> bool:
        return self._accepts(cell)

    def choose(self, cells: Sequence[Cell]) -> List[Cell]:
        """The accepted cells.

        Raises SelectionError when a word matches none of ``cells``, or nothing is chosen.
        """
        for word in self.words:
            if not any(word.test(cell) for cell in cells):
                raise SelectionError(_unknown_word(word, cells))
        chosen = [cell for cell in cells if self.accepts(cell)]
        if not chosen:
            raise SelectionError(
                f"no cell matches -k {self.expression!r}, though each of its words matches some"
            )
        return chosen


def _everything(cell: Cell) -> bool:
    return True


def _tokens(expression: str) -> List[str]:
    tokens = []
    for symbol, word, stray in _TOKEN.findall(expression):
        if stray:
            raise SelectionError(f"unexpected {stray!r} in -k {expression!r}; see --help")
        tokens.append(symbol or word)
    return tokens


class _Parser:
    """Recursive descent over ``or`` > ``and`` > ``not`` > term."""

    def __init__(self, tokens: List[str], words: List[_Word]) -> None:
        self.tokens = tokens
        self.words = words
        self.depth = 0

    def parse(self) -> Predicate:
        predicate = self._or()
        if self.tokens:
            raise SelectionError(f"unexpected {self.tokens[0]!r} in the -k expression")
        return predicate

    def _take(self, expected: str) -> bool:
        if self.tokens and self.tokens[0] == expected:
            self.tokens.pop(0)
            return True
        return False

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return lambda cell: any(part(cell) for part in parts)

    def _and(self) -> Predicate:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return lambda cell: all(part(cell) for part in parts)

    def _not(self) -> Predicate:
        negated = False
        while self._take("not"):
            negated = not negated
        inner = self._term()
        return (lambda cell: not inner(cell)) if negated else inner

    def _term(self) -> Predicate:
        if self._take("("):
            return self._group()
        word = self._value("a word")
        if self.tokens and self.tokens[0] in _SYMBOLS:
            symbol = self.tokens.pop(0)
            value = self._value(f"a value for {word!r}")
            test = _comparison(word, symbol, value)
            if symbol in ("=", "=="):
                parts = value.split(",")
                self.words += [_Word(part, _comparison(word, "=", part), word) for part in parts]
            return test
        test = _contains(word)
        self.words.append(_Word(word, test))
        return test

    def _group(self) -> Predicate:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise SelectionError(f"the -k expression is nested more than {_DEEPEST} deep")
        inner = self._or()
        if not self._take(")"):
            raise SelectionError("a '(' is not closed in the -k expression")
        self.depth -= 1
        return inner

    def _value(self, what: str) -> str:
        if not self.tokens:
            raise SelectionError(f"the -k expression ends too early: expected {what}")
        token = self.tokens.pop(0)
        if token in _NO_VALUE:
            raise SelectionError(f"expected {what} in the -k expression, found {token!r}")
        return token


def _texts(cell: Cell) -> List[str]:
    return [cell.id, cell.study, cell.task, cell.framework, cell.technique, cell.variant,
            cell.feature, cell.model, cell.dataset, cell.device, cell.protocol,
            cell.tier, cell.environment]  # fmt: skip


def _contains(word: str) -> Predicate:
    lowered = word.lower()
    return lambda cell: any(lowered in text.lower() for text in _texts(cell))


def _comparison(field: str, symbol: str, value: str) -> Predicate:
    check("field", field, FIELDS, SelectionError, after=" to select by")
    if symbol in _COMPARE:
        return _ordered(field, _COMPARE[symbol], value)
    accepted = frozenset(value.split(","))
    if symbol == "!=":
        return lambda cell: str(getattr(cell, field)) not in accepted
    return lambda cell: str(getattr(cell, field)) in accepted


def _ordered(field: str, compare: Callable[[Any, Any], bool], value: str) -> Predicate:
    if field not in NUMERIC or not re.fullmatch(r"\d{1,12}", value):
        raise SelectionError(
            f"only whole numbers compare with < and >: {', '.join(NUMERIC)}; got {field} {value!r}"
        )
    number = int(value)
    return lambda cell: compare(getattr(cell, field), number)


def _unknown_word(word: _Word, cells: Sequence[Cell]) -> str:
    if word.field in NUMERIC:
        values = sorted({getattr(cell, word.field) for cell in cells})
        return (
            f"-k: {word.field}={word.text} matches no cell. "
            f"Values of {word.field} here: {', '.join(map(str, values[:40]))}"
        )
    if word.field:
        known = sorted({str(getattr(cell, word.field)) for cell in cells} - {""})
        asked, place = f"{word.field}={word.text}", f"Values of {word.field} here"
    else:
        known = sorted({text for cell in cells for text in _texts(cell) if text != cell.id} - {""})
        asked, place = word.text, "Words here"
    parts = {part for text in known for part in (text, *text.split("-"))}
    near = nearest(word.text, parts)
    return f"-k: {asked!r} matches no cell.{near} {place}: {', '.join(known[:40])}"
