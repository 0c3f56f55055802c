"""A page whose rows can be narrowed while one types: ``/`` opens the box, escape takes it back."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui.screens.base import Page
from tui.text import safe


class NarrowedPage(Page):
    """``narrow`` does it; ``rows_id`` has the focus when the box is closed."""

    rows_id: ClassVar[str] = "rows"
    hint: ClassVar[str] = "words that stand in a row"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", tooltip="show only some rows, while you type"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.narrowed_by = ""
        self._before = ""

    def filter_box(self) -> Input:
        """What a page puts below its rows."""
        return Input(id="filter", placeholder=self.hint, compact=True)

    def narrow(self, text: str) -> str:
        """Show what the text leaves, and remember it. Where that is nothing: why, and no change."""
        raise NotImplementedError

    def action_filter(self) -> None:
        box = self.query_one("#filter", Input)
        self._before = box.value = self.narrowed_by
        box.add_class("open")
        box.focus()

    def undo(self) -> bool:
        """Close the box, with the rows as they were; then show all rows."""
        if self.query_one("#filter", Input).has_class("open"):
            self._close()
            self.narrow(self._before)
        elif self.narrowed_by:
            self.narrow("")
        else:
            return False
        return True

    @on(Input.Changed, "#filter")
    def _typed(self, event: Input.Changed) -> None:
        if event.input.has_class("open") and event.value == event.input.value:
            problem = self.narrow(event.value.strip())
            if problem:
                self.narrow(self._before)
            event.input.set_class(bool(problem), "wrong")

    @on(Input.Submitted, "#filter")
    def _entered(self, event: Input.Submitted) -> None:
        problem = self.narrow(event.value.strip())
        if problem:
            self.notify(safe(problem, 1000), severity="error", markup=False, timeout=8)
        else:
            self._close()

    def _close(self) -> None:
        self.query_one("#filter", Input).remove_class("open", "wrong")
        self.query_one(f"#{self.rows_id}").focus()
