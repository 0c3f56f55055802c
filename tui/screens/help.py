"""The keys, those of the screen first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Static

from tui.screens.dialog_base import Dialog
from tui.text import safe

_ALWAYS = (
    ("1 … 6", "the screens"),
    ("[ ]", "the tab before, the next one"),
    ("↑ ↓ j k, pgup pgdn ctrl+b ctrl+f, g G", "move"),
    ("enter", "open"),
    ("escape", "back, or close"),
    ("space", "mark"),
    ("/", "filter or search, while you type"),
    ("y", "copy; y y the number at once"),
    ("z Z", "sort by the next column; the other way round"),
    ("C", "choose columns"),
    ("?", "this help"),
    ("ctrl+p", "everything by its name; the theme too"),
    ("q", "leave"),
)
_WRITTEN = {"question_mark": "?", "slash": "/", "left_square_bracket": "[",
            "right_square_bracket": "]", "less_than_sign": "<", "greater_than_sign": ">",
            "minus": "-", "plus": "+", "equals_sign": "=", "comma": ",",
            "full_stop": "."}  # fmt: skip


class Help(Dialog[None]):
    """Any of escape, enter, q and ? closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter,q,question_mark", "dismiss", "Close"),
    ]

    def __init__(self, about: str, screen: Screen[Any]) -> None:
        super().__init__()
        self._about = about
        self._keys = list(_keys(screen))

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog"):
            yield Static(Text(safe(self._about)), classes="title")
            yield Static(_table("On this screen", self._keys))
            yield Static(_table("Everywhere", _ALWAYS))


def _keys(screen: Screen[Any]) -> Iterator[tuple[str, str]]:
    """The screen's own keys, and those of the widget that has the focus."""
    taken = {key for keys, _ in _ALWAYS for key in keys.split()}
    for kind in type(screen).__mro__:
        for binding in vars(kind).get("BINDINGS", []):
            if not isinstance(binding, Binding) or kind.__module__.startswith("textual"):
                continue
            written = " ".join(_WRITTEN.get(k.strip(), k.strip()) for k in binding.key.split(","))
            if binding.description and written not in taken:
                yield written, binding.tooltip or binding.description


def _table(title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    table.title = Text(title, style="bold")
    table.title_justify = "left"
    for key, text in rows:
        table.add_row(Text(key, style="bold"), Text(text))
    return table
