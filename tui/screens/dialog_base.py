"""What lies on top of a page until it is answered."""

from __future__ import annotations

from typing import TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer]):
    """Answered once, however often."""

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """A key that was pressed before the dialog had gone finds it answered."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
