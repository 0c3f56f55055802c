"""How a truth follows from comparisons, and what part of an error each of them may take.

That all of many comparisons hold needs no correction: a false "holds" needs every one of them. That
one of many fails has as many chances as there are comparisons, and so shares the error among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

Kind = Literal["comparison", "and", "or", "not", "votes"]


class Logic(NamedTuple):
    """``votes`` are comparisons that are counted, where each may be the one that decides.

    ``number`` is that of a comparison, in the order in which they were made.
    """

    kind: Kind
    parts: tuple[Logic, ...] = ()
    number: int = -1


NOTHING = Logic("and")
"""Of what follows from certain numbers alone."""


class Share(NamedTuple):
    """The parts of the error that a comparison may take where it holds, and where it fails."""

    holds: float
    fails: float


def joined(kind: Kind, parts: Iterable[Logic]) -> Logic:
    """Without those that rest on nothing."""
    return Logic(kind, tuple(part for part in parts if count(part)))


def count(logic: Logic) -> int:
    """How many comparisons there are in it."""
    return 1 if logic.kind == "comparison" else sum(map(count, logic.parts))


WHOLE = Share(1.0, 1.0)


def shares(logic: Logic, whole: Share = WHOLE) -> Iterator[tuple[int, Share]]:
    """By the number of each comparison."""
    if logic.kind == "comparison":
        yield logic.number, whole
        return
    every = count(logic)
    for part in logic.parts:
        yield from shares(part, _of_part(logic.kind, whole, count(part) / every))


def _of_part(kind: Kind, whole: Share, part: float) -> Share:
    if kind == "not":
        return Share(whole.fails, whole.holds)
    holds = whole.holds * (part if kind in ("or", "votes") else 1)
    fails = whole.fails * (part if kind in ("and", "votes") else 1)
    return Share(holds, fails)
