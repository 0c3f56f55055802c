"""How numbers and states are written, the same in every format for people."""

from __future__ import annotations

import math

from tables.comparison import Line

NONE = "–"
_STATE_LIMIT = 60


def number(value: float | None) -> str:
    """Four significant digits without an exponent; large numbers keep their integer digits."""
    if value is None:
        return NONE
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 6)}f}"


def published(line: Line) -> str:
    """As printed, with the unit as printed."""
    return f"{line.printed} {line.printed_unit}" if line.printed else NONE


def measured(line: Line) -> str:
    """The value with its unit, or the state in place of one."""
    if line.measured is None:
        return short(line.state)
    return f"{number(line.measured)} {line.unit}"


def ratio(line: Line) -> str:
    """Three significant digits."""
    return NONE if line.ratio is None else f"{line.ratio:.3g}"


def short(text: str) -> str:
    """One line of at most 60 characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= _STATE_LIMIT else flat[: _STATE_LIMIT - 1] + "…"


def heading(title: str, place: str, scope: str) -> str:
    """``Model size (Table I, section V) · tier quick · digits · rigorous``."""
    return f"{title} ({place}) · {scope}"
