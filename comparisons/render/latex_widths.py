"""How wide texts are in LaTeX's standard fonts, and how columns share a line.

Widths are in em of the font, as in Computer Modern (cmr8), rounded up.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

LINE = 38.0
"""em of \\footnotesize in a line of the article class: 40.6 at 10 points, 38.2 at 12."""
BETWEEN = 0.8
"""em between two columns."""

_LEAST = 2.0
_STEP = 0.25
_WIDTHS = {
    **dict.fromkeys("ijl,.;:'|!I()[] ", 0.42),
    **dict.fromkeys("frtsJ-/", 0.48),
    **dict.fromkeys("ABCDEFGHKLNOPQRSTUVXYZ&", 0.83),
    **dict.fromkeys("mwMW%@…—×±·<>=+~≤≥→−÷#", 1.1),
}
_OTHER = 0.6
# TeX breaks a line at a space and after a hyphen.
_TOKEN = re.compile(r"[^\s-]*-|[^\s-]+")
_PARTS = re.compile(r"\s+|[^\s-]*-|[^\s-]+")


class Fitting(NamedTuple):
    """``shares`` of the line for columns of paragraphs, None for those as wide as their text.

    ``widths`` are in em. ``lines`` of text are what the body takes.
    """

    shares: list[float | None]
    widths: list[float]
    lines: int

    def pieces(self, column: int, field: str) -> list[str]:
        """A field, in pieces between which a line may end where a word is wider than its column."""
        if self.shares[column] is None:
            return [field]
        found = [""]
        for part in _PARTS.findall(field):
            if width(part) > self.widths[column]:
                found += part
            elif len(found[-1]) == 1 and len(found) > 1:
                found.append(part)
            else:
                found[-1] += part
        return [piece for piece in found if piece]


def width(text: str) -> float:
    """Of a text in em."""
    return sum(_WIDTHS.get(one, _OTHER) for one in text)


def fit(header: Sequence[str], rows: Sequence[Sequence[str]]) -> Fitting:
    """The widest column gives way first, and none to less than its longest word."""
    columns = list(zip(header, *rows, strict=True))
    natural = [max(map(width, fields)) for fields in columns]
    words = [max(map(_longest_token, fields)) for fields in columns]
    room = LINE - BETWEEN * (len(columns) - 1)
    widths = _shrunk(_shrunk(natural, words, room), [_LEAST] * len(columns), room)
    shares = [
        None if own == whole else own / LINE for own, whole in zip(widths, natural, strict=True)
    ]
    return Fitting(shares, widths, sum(_lines(row, widths) for row in rows))


def _shrunk(widths: Sequence[float], least: Sequence[float], room: float) -> list[float]:
    found = list(widths)
    while sum(found) > room:
        wide = [n for n in range(len(found)) if found[n] - _STEP >= least[n]]
        if not wide:
            break
        found[max(wide, key=lambda n: found[n])] -= _STEP
    return found


def _longest_token(text: str) -> float:
    return max(map(width, _TOKEN.findall(text)), default=0.0)


def _lines(row: Sequence[str], widths: Sequence[float]) -> int:
    """A paragraph's lines are not quite full."""
    return max(
        math.ceil(width(field) / own - 0.01) + (width(field) > 2 * own) if own else 1
        for field, own in zip(row, widths, strict=True)
    )
