"""How numbers and states are written, the same in every format for people."""

from __future__ import annotations

import math
import re

from comparisons.comparison import Comparison, Line
from papers.published import SELECTABLE

NONE = "–"
_POINT_DECIMALS = 3
_REASON_LIMIT = 300
_NAMED_CELLS = 6
_FIELDS = re.compile(rf"\b({'|'.join(name for name in SELECTABLE if '_' in name)})\b")


def printable(text: str) -> str:
    """Control, escape and line characters become spaces."""
    return "".join(c if c.isprintable() else " " for c in text)


def number(value: float | None) -> str:
    """Four significant digits without an exponent; large numbers keep their integer digits."""
    if value is None:
        return NONE
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{min(decimals, 6)}f}"


def quantity(value: float | None, unit: str) -> str:
    """With its unit; points of an accuracy have no more digits than accuracies are known to."""
    return f"{_digits(value, unit)} {unit}"


def _digits(value: float | None, unit: str) -> str:
    if unit != "points" or value is None:
        return number(value)
    return f"{round(value, _POINT_DECIMALS) + 0.0:g}"


def published(line: Line) -> str:
    """As printed, with the unit as printed; or computed from what is printed."""
    if line.printed or line.published is None:
        return with_unit(line.printed, line.printed_unit) if line.printed else NONE
    return f"{quantity(line.published, line.unit)} (from others)"


def with_unit(printed: str, unit: str) -> str:
    """``8.88 x``; a word in a number's place, such as OOM, has no unit."""
    numeric = unit and any(sign.isdigit() for sign in printed)
    return f"{printed} {unit}" if numeric else printed


def measured(line: Line) -> str:
    """The value with its unit, or the status in place of one; ``reasons`` has the rest."""
    if line.measured is None:
        return line.state.partition(":")[0]
    work = f" ({line.work})" if line.work else ""
    return f"{quantity(line.measured, line.unit)}{work}{interval(line)}"


def interval(line: Line) -> str:
    """`` [2.05, 2.31]`` where there is one that isn't a point."""
    if line.low is None or line.high is None or line.low == line.high:
        return ""
    return f" [{_digits(line.low, line.unit)}, {_digits(line.high, line.unit)}]"


def reasons(comparison: Comparison) -> list[str]:
    """Why there is no value, once for each reason, with the cells that it is true of."""
    found: dict[str, dict[str, None]] = {}
    for line in comparison.lines:
        if line.measured is None and ":" in line.state:
            found.setdefault(line.state, {}).update(dict.fromkeys(line.cells))
    return [f"{one_line(state)} ({_named(list(cells))})" for state, cells in found.items()]


def _named(cells: list[str]) -> str:
    """A few by their ids, many by their number."""
    return f"cell {', '.join(cells)}" if len(cells) <= _NAMED_CELLS else f"{len(cells):,} cells"


def ratio(line: Line) -> str:
    """Three significant digits, trailing zeros too; whole from 100 on."""
    if line.ratio is None:
        return NONE
    return f"{line.ratio:,.0f}" if abs(line.ratio) >= 99.95 else f"{line.ratio:#.3g}"


def flags(line: Line) -> str:
    """All that are about the number, by their names."""
    return ", ".join(line.flags)


def one_line(text: str, limit: int = _REASON_LIMIT) -> str:
    """White space folded, at most so many characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1] + "…"


def heading(title: str, place: str, scope: str) -> str:
    """``Model size (Table I, section V) · tier quick · digits · rigorous``."""
    return f"{title} ({place}) · {scope}"


def field_words(text: str) -> str:
    """``batch_size`` as people read it, wherever it stands in a text."""
    return _FIELDS.sub(lambda found: found.group().replace("_", " "), text)
