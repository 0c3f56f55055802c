"""Texts from anywhere, made fit for a screen: one line, bounded, nothing that a terminal obeys."""

from __future__ import annotations

import itertools
import re
import unicodedata

from rich.cells import cell_len, set_cell_size

from manifests.errors import RepliquantError
from services.phrases import printable

MARK = "⚑"
"""Beside a number that carries flags, where there is no room for their names."""

_MOST_MARKS = 2
_PLAIN = re.compile(r"[ -~]*")
_TAB = " " * 4


def safe(text: str, most: int = 400) -> str:
    """At most ``most`` characters, without control, escape and bidirectional characters.

    Of marks that pile up on one character two stay; variation selectors, whose width no two
    terminals agree on, go.
    """
    text = text[:most]
    if _PLAIN.fullmatch(text):
        return text
    return _thinned(printable(text.replace("\t", _TAB)))


def error_text(error: Exception) -> str:
    """An expected error says it all; another one says what it is."""
    return str(error) if isinstance(error, RepliquantError) else f"{type(error).__name__}: {error}"


def _thinned(text: str) -> str:
    kept: list[str] = []
    for marks, group in itertools.groupby(text, _is_mark):
        characters = list(group)
        kept += characters[:_MOST_MARKS] if marks else characters
    return "".join(c for c in kept if not 0xFE00 <= ord(c) <= 0xFE0F)


def _is_mark(character: str) -> bool:
    return unicodedata.combining(character) != 0


def fitted(text: str, width: int, right: bool = False) -> str:
    """Exactly ``width`` columns of a terminal; what doesn't fit ends in an ellipsis."""
    if width <= 0:
        return ""
    taken = cell_len(text)
    if taken > width:
        return set_cell_size(text, width - 1) + "…"
    return " " * (width - taken) + text if right else text + " " * (width - taken)


def clock(seconds: float) -> str:
    """``0:07``, ``12:30``, ``1:02:03``: a time that runs."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, second = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{second:02}" if hours else f"{minutes}:{second:02}"
