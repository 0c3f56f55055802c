"""The screens by their names, in the order of their numbers."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from textual.screen import Screen

from tui.screens.home import HomeScreen


def _late(module: str, name: str) -> Callable[[], Screen[Any]]:
    """A screen that is imported when it is first shown, so that the first one is there soon."""

    def make() -> Screen[Any]:
        screen: Screen[Any] = getattr(import_module(f"tui.screens.{module}"), name)()
        return screen

    return make


PAGES: dict[str, str | Callable[[], Screen[Any]]] = {
    "home": HomeScreen,
    "plan": _late("plan", "PlanScreen"),
    "run": _late("run", "RunScreen"),
    "results": _late("results", "ResultsScreen"),
    "explain": _late("explain", "ExplainScreen"),
    "claims": _late("claims", "ClaimsScreen"),
}
