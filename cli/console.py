"""The two consoles: results on standard output, news on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import click
import msgspec
from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from cli.columns import fit
from services.phrases import printable


def out() -> Console:
    """Standard output; wide enough for every column when it is not a terminal."""
    return Console(file=sys.stdout, highlight=False, soft_wrap=False, width=_width(sys.stdout))


def err() -> Console:
    """Standard error."""
    return Console(file=sys.stderr, highlight=False, width=_width(sys.stderr))


def _width(stream: Any) -> int | None:
    """As COLUMNS says; else that of the terminal (None), or 160 where there is no terminal."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    return None if stream.isatty() else 160


def print_json(value: Any) -> None:
    """Indented JSON on standard output."""
    text = msgspec.json.format(_encoded(value), indent=2).decode()
    click.echo(text)


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


def _encoded(value: Any) -> bytes:
    """As JSON; bytes of names that are no UTF-8 are spelled out."""
    import msgspec

    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return msgspec.json.encode(_spelled_out(msgspec.to_builtins(value)))


def _spelled_out(value: Any) -> Any:
    from manifests.files import as_text

    if isinstance(value, dict):
        return {_spelled_out(key): _spelled_out(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_spelled_out(each) for each in value]
    return as_text(value) if isinstance(value, str) else value
