"""When a comparison is looked at, and what it has to reach there.

All looks together leave 3 % for a false decision where nothing differs. A look at other numbers of
processes would be one more chance for it, so that between looks the last one stands.
"""

from __future__ import annotations

PLANNED = {4: 0.0053, 6: 0.0080, 8: 0.0106, 12: 0.0159}
"""Processes a side, and the two-sided p that decides there."""
FIRST, LAST = min(PLANNED), max(PLANNED)
A_QUADRUPLE = 2
"""So many processes a side are one."""


def nominal(processes: int) -> float:
    """The p that decides at a look; the last one also at those after it."""
    return PLANNED.get(processes, PLANNED[LAST])


def looks_within(processes: int) -> list[int]:
    """The looks that so many processes a side allow: the planned ones, then every doubling."""
    found = [look for look in PLANNED if look <= processes]
    while found and found[-1] >= LAST and found[-1] * 2 <= processes:
        found.append(found[-1] * 2)
    return found


def last_look(processes: int) -> int:
    """The look whose decision stands at so many processes a side, 0 before the first."""
    return max(looks_within(processes), default=0)


def next_look(processes: float) -> int:
    """The first look at so many processes a side or more."""
    look = FIRST
    for look in PLANNED:
        if look >= processes:
            return look
    while look < processes:
        look *= 2
    return look
