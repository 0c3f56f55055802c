"""Reading on threads: what comes of it is a message to the app."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.worker import get_current_worker

from tui.loaded import Loaded

if TYPE_CHECKING:
    from textual.app import App

    from tui.loaded import Value


class Reader:
    """Of one group of reading only the latest counts."""

    def __init__(self, app: App[str]) -> None:
        self._app = app

    def _post(self, value: Value) -> None:
        """From a thread: unless what it read is not wanted any more."""
        if not get_current_worker().is_cancelled:
            self._app.post_message(Loaded(value))

    def _on_thread(self, look: Callable[[], None], group: str) -> None:
        self._app.run_worker(look, thread=True, exclusive=True, group=group, exit_on_error=False)
