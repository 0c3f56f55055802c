"""Curves and bars out of block characters: they need neither colours nor a wide font."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_PARTS = " ▏▎▍▌▋▊▉█"

Reading = float | None


def resampled(values: Sequence[Reading], width: int) -> list[Reading]:
    """At most ``width`` values, each the largest of its share; a share of nothing stays None."""
    count = len(values)
    if count <= width:
        return list(values)
    shares = (values[i * count // width : (i + 1) * count // width] for i in range(width))
    return [max((v for v in share if v is not None), default=None) for share in shares]


def sparkline(
    values: Sequence[Reading], width: int, low: float | None = None, high: float | None = None
) -> str:
    """One line, the latest value at its right end; a reading that is missing is a dot."""
    shown = list(values[-width:]) if low is not None else resampled(values, width)
    known = [value for value in shown if value is not None]
    if not known:
        return "·" * width
    bottom = min(known) if low is None else low
    top = max(known) if high is None else high
    return "".join(_eighth(value, bottom, top) for value in shown).rjust(width)


def _eighth(value: Reading, bottom: float, top: float) -> str:
    if value is None:
        return "·"
    if top <= bottom:
        return _EIGHTHS[4]
    share = min(1.0, max(0.0, (value - bottom) / (top - bottom)))
    return _EIGHTHS[1 + round(share * 7)]


def bar(share: float, width: int) -> str:
    """A bar of ``share`` (0 … 1) of ``width`` columns, to an eighth of a column."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    whole, rest = divmod(eighths, 8)
    return ("█" * whole + (_PARTS[rest] if rest else "")).ljust(width)


def columns(
    values: Sequence[Reading], width: int, height: int, low: float = 0.0, high: float | None = None
) -> list[str]:
    """``height`` lines of columns that stand on ``low``; the first line is the top."""
    shown = resampled(values, width)
    known = [value for value in shown if value is not None]
    top = max(known, default=1.0) if high is None else high
    span = top - low if top > low else 1.0
    levels = [0 if v is None else _level(v - low, span, height) for v in shown]
    lines = []
    for row in range(height - 1, -1, -1):
        line = "".join(_EIGHTHS[min(8, max(0, level - 8 * row))] for level in levels)
        lines.append(line.ljust(width))
    return lines


def _level(value: float, span: float, height: int) -> int:
    """In eighths of a line; what is more than nothing shows at least one."""
    share = min(1.0, max(0.0, value / span))
    return max(1 if value > 0 else 0, round(share * height * 8))


def histogram(values: Sequence[float], bins: int) -> tuple[list[int], float, float]:
    """Counts of equally wide bins from the smallest to the largest value, and these two."""
    low, high = min(values), max(values)
    counts = [0] * bins
    width = (high - low) / bins or 1.0
    for value in values:
        counts[min(bins - 1, int((value - low) / width))] += 1
    return counts, low, high


def widened(values: Sequence[Reading], width: int) -> list[Reading]:
    """Few values stretched over ``width`` columns, each as wide as the next."""
    count = len(values)
    if not count or count >= width:
        return list(values)
    return [values[i * count // width] for i in range(width)]


def curve(values: Sequence[float], width: int, height: int, low: float, high: float) -> list[str]:
    """A thin line of braille dots through the values; the first of ``height`` lines is the top."""
    across, up = 2 * width, 4 * height
    dots = [[0] * width for _ in range(height)]
    span = high - low if high > low else 1.0
    before: int | None = None
    for x in range(across):
        y = round((_between(values, x / max(1, across - 1)) - low) / span * (up - 1))
        y = min(up - 1, max(0, y))
        first, last = sorted((y, y if before is None else before))
        for level in range(first, last + 1):
            row, dot = divmod(up - 1 - level, 4)
            dots[row][x // 2] |= DOTS[x % 2][dot]
        before = y
    return ["".join(chr(0x2800 + bits) for bits in line) for line in dots]


DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
"""Of a braille sign, by column and line. Source: Unicode, Braille Patterns."""


def _between(values: Sequence[float], share: float) -> float:
    """Along straight lines from one value to the next."""
    at = share * (len(values) - 1)
    left = min(int(at), len(values) - 2) if len(values) > 1 else 0
    right = min(left + 1, len(values) - 1)
    return values[left] + (values[right] - values[left]) * (at - left)
