"""Verdicts on a study's claims as a bar: what holds, what does not, what is open or missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from comparisons.claims.verdicts import (
    FAILS_HERE,
    HOLDS_HERE,
    NOT_MEASURED,
    NOT_REPRODUCED,
    REPRODUCED,
    UNTESTABLE,
)
from papers.expressions.quantities import UNCLEAR
from tui.widgets.rows import Field, Parts


class Kind(NamedTuple):
    """Verdicts that a bar shows alike. ``shade`` tells them apart where there is no colour."""

    word: str
    shade: str
    tone: str
    states: tuple[str, ...]


KINDS = (
    Kind("hold", "█", "good", (REPRODUCED, HOLDS_HERE)),
    Kind("do not", "▓", "bad", (NOT_REPRODUCED, FAILS_HERE)),
    Kind("undecided", "▒", "warn", (UNCLEAR,)),
    Kind("not measured", "░", "dim", (NOT_MEASURED, UNTESTABLE)),
)


def counted(states: Mapping[str, int]) -> list[int]:
    """How many claims of each kind, in the order of KINDS."""
    return [sum(states.get(state, 0) for state in kind.states) for kind in KINDS]


def verdict_bar(states: Mapping[str, int], width: int) -> Parts:
    """To scale; a kind that occurs at all has a column."""
    counts = counted(states)
    lengths = _shared(counts, width)
    fields = (Field(kind.shade * n, kind.tone) for kind, n in zip(KINDS, lengths, strict=True) if n)
    return Parts(tuple(fields), _said(counts), counts[0])


def verdict_words(states: Mapping[str, int]) -> Parts:
    """``3 hold · 2 do not``; each with the shade that it has in the bar."""
    fields: list[Field] = []
    for kind, number in zip(KINDS, counted(states), strict=True):
        if number:
            fields += [Field(" · ", "dim")] * bool(fields)
            fields.append(Field(f"{kind.shade} {number} {kind.word}", kind.tone))
    return Parts(tuple(fields), _said(counted(states)))


def _said(counts: list[int]) -> str:
    told = (f"{n} {kind.word}" for kind, n in zip(KINDS, counts, strict=True) if n)
    return ", ".join(told)


def _shared(counts: list[int], width: int) -> list[int]:
    """Columns by largest remainder, at least one for each that is not zero."""
    whole = sum(counts)
    if not whole or width <= 0:
        return [0] * len(counts)
    exact = [count / whole * width for count in counts]
    lengths = [max(int(exact[i]), 1) if count else 0 for i, count in enumerate(counts)]
    while sum(lengths) != width:
        step = 1 if sum(lengths) < width else -1
        able = [i for i, n in enumerate(lengths) if counts[i] and (step > 0 or n > 1)]
        if not able:
            break
        at = max(able, key=lambda i: step * (exact[i] - lengths[i]))
        lengths[at] += step
    return lengths
