"""Tables of texts that fit the width they are shown in, for the command line and the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from services.columns import fit
from services.phrases import printable


class FittedTable(NamedTuple):
    """Fits the width that it is shown in: texts wrap, no word is broken.

    What is the same on every row of a narrow one stands in its title; columns of ``least`` are
    left out where there is no room for them, the least important first, and named below.
    """

    title: str
    columns: dict[str, list[str]]
    right: Sequence[str]
    least: Sequence[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        fitted = fit(self.columns, options.max_width, self.least)
        made = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
        titles = [self.title, *(f"{name} {value}" for name, value in fitted.constants.items())]
        made.title = Text(" · ".join(part for part in titles if part)) or None
        made.title_justify = made.caption_justify = "left"
        if fitted.left_out:
            left_out = ", ".join(fitted.left_out)
            made.caption = f"no room for: {left_out} (in --json, or with more COLUMNS)"
        for name, wide in fitted.widths.items():
            justify: Literal["left", "right"] = "right" if name in self.right else "left"
            made.add_column(Text(name), justify=justify, overflow="fold", width=wide)
        for row in zip(*(self.columns[name] for name in fitted.widths), strict=True):
            made.add_row(*map(Text, row))
        yield made


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Sequence[str] = (),
    least: Sequence[str] = (),
) -> FittedTable:
    """A table whose cells are texts, never markup; ``right`` names right-aligned columns, ``least``
    those that may be left out, the least important first.
    """
    fields = [[printable(field) for field in row] for row in rows]
    every = {name: [row[place] for row in fields] for place, name in enumerate(columns)}
    return FittedTable(printable(title), every, right, least)
