"""Which columns of a table a terminal has room for, and how wide each is; no word is broken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from rich.cells import cell_len

_NARROW = 120
_EDGES, _BETWEEN = 2, 2
_SAYS_NOTHING = {"", "–"}
_LONGEST_CONSTANT = 40


class Fitted(NamedTuple):
    """``constants`` are columns with one value on all rows, which a title can say once."""

    widths: dict[str, int]
    constants: dict[str, str]
    left_out: list[str]


def fit(columns: Mapping[str, Sequence[str]], width: int, least: Sequence[str] = ()) -> Fitted:
    """``least`` names what can be left out, the least important first.

    Below 120 columns what is the same on every row, or empty, gets no column.
    """
    shown, constants = dict(columns), dict[str, str]()
    if width < _NARROW:
        constants = _constants(columns)
        silent = [n for n, fields in columns.items() if fields and set(fields) <= _SAYS_NOTHING]
        without = {n: f for n, f in columns.items() if n not in constants and n not in silent}
        shown, constants = (without, constants) if without else (shown, {})
    left_out = []
    for name in least:
        if _total(_narrowest(shown, width).values()) <= width:
            break
        if name in shown and len(shown) > 1:
            del shown[name]
            left_out.append(name)
    return Fitted(_widths(shown, width), constants, left_out)


def _constants(columns: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {
        name: fields[0]
        for name, fields in columns.items()
        if len(fields) > 1
        and len(set(fields)) == 1
        and fields[0] not in _SAYS_NOTHING
        and len(fields[0]) <= _LONGEST_CONSTANT
    }


def _widths(columns: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """The widest column gives way first, and none to less than its longest word."""
    least = _narrowest(columns, width)
    widths = {
        name: max(map(cell_len, (name, *fields)), default=0) for name, fields in columns.items()
    }
    while _total(widths.values()) > width:
        wide = [name for name in widths if widths[name] > least[name]]
        if not wide:
            break
        widths[max(wide, key=lambda name: widths[name])] -= 1
    return widths


def _narrowest(columns: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """The longest word of each; what would take a third of the width may be broken."""
    return {
        name: min(max(_longest_word(text) for text in (name, *fields)), max(12, width // 3))
        for name, fields in columns.items()
    }


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _total(widths: Collection[int]) -> int:
    return sum(widths) + _BETWEEN * (len(widths) - 1) + _EDGES
