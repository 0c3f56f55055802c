"""Words for people: durations, sizes, and texts that can't take over a terminal."""

from __future__ import annotations

import math
import re
import unicodedata


def printable(text: str, lines: bool = False) -> str:
    """Without control, escape and bidirectional characters; ``lines`` keeps line ends."""
    return "".join(c if _shows(c) or (lines and c == "\n") else "�" for c in text)


def _shows(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def duration(seconds: float) -> str:
    """``5.9 s``, ``41 s``, ``4 min``, ``2 h 10 min``, ``3 days``."""
    if 0 < seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{round(hours / 24)} days"


def count(number: int, noun: str) -> str:
    """``1 cell``, ``2 cells``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def significant(number: float) -> str:
    """Two digits, as an estimate deserves them: ``0.0053``, ``0.18``, ``4.2``, ``400``."""
    if not number:
        return "0"
    digits = 1 - math.floor(math.log10(abs(number)))
    return f"{round(number, digits):,.{max(0, digits)}f}"


def size(count: float) -> str:
    """``512 bytes``, ``42.6 MiB``, ``1.2 GiB``."""
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def processor_name(name: str) -> str:
    """Without trade marks, the clock, and what says that it is one."""
    return re.sub(_BESIDE_THE_NAME, "", name)


_BESIDE_THE_NAME = r"\((R|TM|tm)\)|\s+@.*|\s+CPU\b|\s+\d+-Core Processor"
