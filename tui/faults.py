"""Faults of the screen: which are passed over, and that a run outlives the others."""

from __future__ import annotations

from textual._context import active_message_pump
from textual.app import App
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.dom import DOMNode
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widgets import OptionList
from textual.worker import WorkerFailed


class Faults(App[str]):
    """``crashed`` says that the app has ended by a fault of its own; what runs goes on."""

    crashed = False

    def _handle_exception(self, error: Exception) -> None:
        """Textual ends the app and prints the traceback."""
        cause = error.error if isinstance(error, WorkerFailed) else error
        if isinstance(cause, NoMatches) and _has_gone(active_message_pump.get(None)):
            return  # what came too late finds nothing, and nobody misses it
        self.crashed = True
        super()._handle_exception(error)

    async def run_action(
        self,
        action: str | tuple[str, str, tuple[object, ...]],
        default_namespace: DOMNode | None = None,
        namespaces: object = None,
    ) -> bool:
        """Textual's own lists can't page while they are too small to have been measured."""
        try:
            return await super().run_action(action, default_namespace, namespaces)  # type: ignore[arg-type]
        except KeyError:
            if not isinstance(default_namespace, OptionList | CommandPalette):
                raise
            return False


def _has_gone(node: MessagePump | None) -> bool:
    """Whether a widget is of a screen that is being taken down, its other widgets before it."""
    while node is not None and not isinstance(node, Screen):
        node = node._parent
    return node is None or not node.display
