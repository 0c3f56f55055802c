"""Delta debugging: a 1-minimal part of a list that a test accepts (Zeller 2002, ddmin)."""

from __future__ import annotations

from typing import Callable, List, Optional, Sequence, Tuple, TypeVar

T = TypeVar("T")

Accepts = Callable[[List[T]], bool]
"""Has to answer alike whenever it is asked the same; it may be asked again."""


def ddmin(items: Sequence[T], accepts: Accepts[T]) -> List[T]:
    """Items in their order that are accepted together, and none of which can be left out alone.

    ``accepts(items)`` has to be true, which isn't asked. Where the test isn't monotone a smaller
    set may exist; leaving out any one of these is refused all the same.
    """
    if not items or accepts([]):
        return []
    kept, parts = list(items), 2
    while len(kept) > 1:
        found = _smaller(kept, parts, accepts)
        if found is not None:
            kept, parts = found
        elif parts >= len(kept):
            break
        else:
            parts *= 2
        parts = min(parts, len(kept))
    return kept


def _smaller(kept: List[T], parts: int, accepts: Accepts[T]) -> Optional[Tuple[List[T], int]]:
    """The first part that is accepted, else the first of what is left without one; with it into
    how many parts to cut next.
    """
    cut = _cut(kept, parts)
    for part in cut:
        if accepts(part):
            return part, 2
    if parts == 2:  # each part is what is left without the other
        return None
    for place in range(parts):
        rest = [item for index, part in enumerate(cut) if index != place for item in part]
        if accepts(rest):
            return rest, max(parts - 1, 2)
    return None


def _cut(items: List[T], parts: int) -> List[List[T]]:
    """Into parts as equal as can be; none is empty where there are as many items."""
    ends = [len(items) * place // parts for place in range(parts + 1)]
    return [items[begin:end] for begin, end in zip(ends, ends[1:])]
