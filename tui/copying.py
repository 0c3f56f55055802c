"""What can be copied from a page: a number, a row, a citation, or the command that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tui.screens.dialogs import Choice
from tui.text import fitted, safe

_SHOWN = 62


class Copied(NamedTuple):
    """``key`` chooses it; ``what`` is its name in a list."""

    key: str
    what: str
    text: str


def choices(found: Sequence[Copied]) -> list[Choice]:
    """A button each, with the beginning of what would be copied."""
    return [
        Choice(one.key, fitted(f"{one.what}: {_begin(one.text)}", _SHOWN).rstrip(), one.key)
        for one in found
    ]


def _begin(text: str) -> str:
    return safe(" ".join(text.split()), 200)
