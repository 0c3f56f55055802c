"""What the command palette (ctrl+p) offers beside Textual's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

if TYPE_CHECKING:
    from tui.app.app import Repliquant


class KitCommands(Provider):
    """The screens, and every key of the screen that is shown."""

    async def discover(self) -> Hits:
        for name, help_, run in self._all():
            yield DiscoveryHit(name, run, help=help_)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, help_, run in self._all():
            score = matcher.match(name)
            if score > 0:
                yield Hit(score, matcher.highlight(name), run, help=help_)

    def _all(self) -> Iterator[tuple[str, str, IgnoreReturnCallbackType]]:
        app = cast("Repliquant", self.app)
        for mode in app.MODES:
            yield f"Go to {mode}", "a screen", partial(app.action_go, mode)
        for kind in type(self.screen).__mro__:
            for binding in vars(kind).get("BINDINGS", []):
                if isinstance(binding, Binding) and binding.tooltip:
                    yield (
                        binding.tooltip.capitalize(),
                        f"key {binding.key}",
                        partial(self.screen.run_action, binding.action),
                    )
