"""A speedup for the screen: its factors as parts of one bar, its rungs as steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.text import Text

from comparisons.decomposition import Explanation
from comparisons.factors import Factor
from comparisons.render.speedups import interval, share_ends
from tui.charts import bar
from tui.text import fitted, safe

_SHADES = ("█", "▓", "▒", "░")
_NAME, _TOLD = 24, 44
"""Columns of the rungs' names, and of what stands behind the bars."""
_TONES = ("primary", "success", "accent", "secondary")


def _tone(index: int) -> str:
    return _TONES[index % len(_TONES)]


def parts(item: Explanation, width: int, paint: Callable[[str], str]) -> Iterator[Text]:
    """The bar, whose parts are shaded differently, and what each part is.

    A part is as long as its share of the speedup's logarithm; a factor below 1, a
    slowdown, has no part of the bar and stands only in the list.
    """
    room = max(10, width - 2)
    gains = [max(0.0, factor.share or 0.0) for factor in item.factors]
    whole = sum(gains) or 1.0
    line = Text()
    for index, gain in enumerate(gains):
        length = round(gain / whole * room)
        line.append(_SHADES[index % len(_SHADES)] * length, paint(_tone(index)))
    yield line
    for index, factor in enumerate(item.factors):
        share = ""
        if factor.share is not None:
            share = f"{factor.share:5.0%} of it{share_ends(factor)}"
        slower = "  slowdown" if factor.value < 1 else ""
        ends = interval(factor.interval).strip()
        text = Text("  ").append(_SHADES[index % len(_SHADES)] * 2, paint(_tone(index)))
        text.append(" ")
        text.append(fitted(safe(factor.kind), 34)).append(f"{factor.value:6.2f}x  ", "bold")
        yield text.append(f"{ends}  " if ends else "").append(share + slower, "dim")


def waterfall(item: Explanation, width: int, paint: Callable[[str], str]) -> Iterator[Text]:
    """From the root's time down to the technique's: a bar a rung, between them what a step took off
    (or put on), with its factor and the factor's interval.
    """
    known = [value for _, value in item.rungs]
    if not known or not all(known):
        return
    longest, room = max(known), max(10, min(80, width - _NAME - _TOLD))
    steps = item.factors if len(item.factors) == len(item.rungs) - 1 else []
    for index, (name, value) in enumerate(item.rungs):
        if index:
            before = known[index - 1]
            step = steps[index - 1] if steps else None
            yield _step(step, before, value, longest, room, paint)
        line = Text("  ").append(fitted(safe(name), _NAME), "bold")
        line.append(bar(value / longest, room), paint("primary"))
        yield line.append(f"  {value:,.3g} ms a call", "not bold")


def _step(
    step: Factor | None,
    before: float,
    after: float,
    longest: float,
    room: int,
    paint: Callable[[str], str],
) -> Text:
    """Only the part between the two bars is drawn."""
    low, high = sorted((round(before / longest * room), round(after / longest * room)))
    slower = after > before
    kind = step.kind if step else "step"
    factor = step.value if step else before / after
    ends = interval(step.interval).strip() if step else ""
    line = Text("    ").append(fitted(safe(kind), _NAME - 2), "dim")
    line.append(" " * low)
    line.append(("▓" if slower else "░") * (high - low), paint("error" if slower else "success"))
    line.append(" " * (room - high))
    sign = "+" if slower else "−"
    told = f"  {sign}{abs(after - before):,.3g} ms, {factor:.2f}x {ends}".rstrip()
    line.append(told, "not dim")
    return line.append("  slowdown" if factor < 1 else "", "dim")
