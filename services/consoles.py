"""A console on a stream, as wide as what stands behind it."""

from __future__ import annotations

import os
from typing import TextIO

from rich.console import Console


def console_on(stream: TextIO) -> Console:
    """Wide enough for every column where it is not a terminal."""
    return Console(file=stream, highlight=False, width=_width(stream))


def _width(stream: TextIO) -> int | None:
    """As COLUMNS says; else that of the terminal (None), or 160 where there is no terminal."""
    asked = os.environ.get("COLUMNS", "")
    if asked.isdecimal() and int(asked):
        return int(asked)
    return None if stream.isatty() else 160


def screen_width(stream: TextIO) -> int:
    """As COLUMNS says; else that of the terminal, or 80 where there is no terminal."""
    if not stream.isatty() and not os.environ.get("COLUMNS", "").isdecimal():
        return 80
    return console_on(stream).width
