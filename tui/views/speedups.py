"""A speedup for the screen: its factors as parts of one bar, its rungs as steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.text import Text

from comparisons.decomposition import Explanation
from comparisons.render.speedups import interval, share_ends
from tui.charts import bar
from tui.text import fitted, safe

_SHADES = ("█", "▓", "▒", "░")
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


def ladder(item: Explanation, width: int) -> Iterator[Text]:
    """The rungs from the root up, each with its time a call where one is known."""
    longest = max((value for _, value in item.rungs), default=0.0)
    room = max(8, min(40, width - 40))
    for name, value in item.rungs:
        text = Text("  ")
        text.append(fitted(safe(name), 20), "dim")
        share = value / longest if longest else 0.0
        text.append(bar(share, room))
        yield text.append(f"  {value:,.3g} ms a call" if value else "")
