"""What the command palette (ctrl+p) offers beside Textual's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

_EVERYWHERE = (
    ("Write a report of the shown run", "repliquant report", "app.report"),
    ("Bundle the shown run as an archive", "repliquant bundle", "app.bundle"),
    ("Verify an archive", "repliquant verify", "app.verify"),
    ("Doctor: what this machine can run", "repliquant doctor", "app.doctor"),
)


class Palette(CommandPalette):
    """Textual's own, closed once however often it is asked to."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()


class AppCommands(Provider):
    """The screens, what can be done from any of them, and every key of the shown one."""

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
        app = self.app
        for mode in app.MODES:
            yield f"Go to {mode}", "a screen", partial(app.run_action, f"app.go('{mode}')")
        for name, help_, action in _EVERYWHERE:
            yield name, help_, partial(app.run_action, action)
        everywhere = {action for _, _, action in _EVERYWHERE}
        for kind in type(self.screen).__mro__:
            for binding in vars(kind).get("BINDINGS", []):
                if not isinstance(binding, Binding) or binding.action in everywhere:
                    continue
                if binding.tooltip:
                    yield (
                        binding.tooltip.capitalize(),
                        f"key {binding.key}",
                        partial(self.screen.run_action, binding.action),
                    )
