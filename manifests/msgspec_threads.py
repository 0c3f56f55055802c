"""Types that several threads decode into.

msgspec looks at a type when it is first used, and crashes the process when two threads come to
the same one, or to parts that two have in common, at that moment.
"""

from __future__ import annotations

import threading
from typing import Set, Type, TypeVar

import msgspec

T = TypeVar("T")

_one_at_a_time = threading.Lock()
_seen: Set[object] = set()


def looked_at(kind: Type[T]) -> Type[T]:
    """``kind``, once msgspec has looked at all of it; to be called before it is decoded into."""
    with _one_at_a_time:
        if kind not in _seen:
            msgspec.json.Decoder(kind)
            _seen.add(kind)
    return kind
