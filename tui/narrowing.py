"""What is typed into a filter: an expression of ``-k``, or as long as it is none, words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from manifests.plan import PlannedCell
from manifests.select import SelectionError, Selector

Item = TypeVar("Item")


class Narrowed(NamedTuple):
    """The cells that are left. ``problem`` is why none is, as the command line would say it."""

    cells: list[PlannedCell]
    problem: str = ""


def with_words(text: str, items: Sequence[Item], told: Callable[[Item], str]) -> list[Item]:
    """Those in whose text every word stands, whatever its case."""
    words = text.casefold().split()
    if not words:
        return list(items)
    return [item for item in items if all(word in told(item).casefold() for word in words)]


def with_phrase(text: str, items: Sequence[Item], told: Callable[[Item], str]) -> list[Item]:
    """Those in whose text the words stand side by side from the beginning of one: ``batch 8`` is in
    ``batch 8`` and ``batch 80``, and not in ``batch 128``. Whole words come first.
    """
    begun = r"\b" + r"\s+".join(re.escape(word) for word in text.split())
    whole = re.compile(begun + r"\b", re.IGNORECASE)
    found = [item for item in items if re.search(begun, told(item), re.IGNORECASE)]
    return sorted(found, key=lambda item: whole.search(told(item)) is None)


def narrowed(text: str, cells: Sequence[PlannedCell]) -> Narrowed:
    """By the language of ``-k``; what is no expression yet by the words in the cells' titles."""
    try:
        selector = Selector(text)
        selector.choose([planned.cell for planned in cells])
        return Narrowed([planned for planned in cells if selector.accepts(planned.cell)])
    except SelectionError as error:
        left = with_words(text, cells, lambda planned: f"{planned.cell.title} {planned.id}")
        return Narrowed(left, "" if left else str(error))
