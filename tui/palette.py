"""What the command palette (ctrl+p) offers beside Textual's own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from textual.await_complete import AwaitComplete
from textual.binding import Binding
from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.types import IgnoreReturnCallbackType

from tui.states import tally
from tui.text import safe

if TYPE_CHECKING:
    from tui.app_actions import ActionApp
    from tui.loaders import RunLine

_EVERYWHERE = (
    ("Write a report of the shown run", "repliquant report", "app.report"),
    ("Bundle the shown run as an archive", "repliquant bundle", "app.bundle"),
    ("Verify an archive", "repliquant verify", "app.verify"),
    ("Machine: what it can run, how it is set, its load", "repliquant doctor", "app.doctor"),
)
_LONGEST = 100


class Command(NamedTuple):
    """``help`` is the line below its name."""

    name: str
    help: str
    run: IgnoreReturnCallbackType


class Palette(CommandPalette):
    """Textual's own, closed once however often it is asked to."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        return super().dismiss(result) if self.is_active else AwaitComplete()


class _Commands(Provider):
    """Those of ``commands`` whose name is like what is typed; first those that it stands in."""

    def commands(self) -> Iterator[Command]:
        """All of them, made anew each time."""
        raise NotImplementedError

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for name, help_, run in self.commands():
            score = matcher.match(name)
            if score > 0:
                score += query.strip().casefold() in name.casefold()
                yield Hit(score, matcher.highlight(name), run, help=help_)


class AppCommands(_Commands):
    """The screens, what can be done from any of them, and every key of the shown one."""

    async def discover(self) -> Hits:
        for name, help_, run in self.commands():
            yield DiscoveryHit(name, run, help=help_)

    def commands(self) -> Iterator[Command]:
        """In the order in which they are listed while nothing is typed."""
        app = self.app
        for mode in app.MODES:
            go = partial(app.run_action, f"app.go('{mode}')")
            yield Command(f"Go to {mode}", "a screen", go)
        for name, help_, action in _EVERYWHERE:
            yield Command(name, help_, partial(app.run_action, action))
        everywhere = {action for _, _, action in _EVERYWHERE}
        for kind in type(self.screen).__mro__:
            for binding in vars(kind).get("BINDINGS", []):
                if not isinstance(binding, Binding) or binding.action in everywhere:
                    continue
                if binding.tooltip:
                    run = partial(self.screen.run_action, binding.action)
                    yield Command(binding.tooltip.capitalize(), f"key {binding.key}", run)


class NamedCommands(_Commands):
    """Every study, run and claim by its name; only while something is typed, being many."""

    @property
    def _main_app(self) -> ActionApp:
        return cast("ActionApp", self.app)

    def commands(self) -> Iterator[Command]:
        """As far as they have been read."""
        home = self._main_app.data.home
        for name in home.study_names:
            line = home.surveyed.get(name)
            title = safe(line.study.title, _LONGEST) if line is not None else "a study"
            yield Command(f"Study {name}", title, partial(self._study, name, "plan"))
        for run in home.runs or ():
            told = f"{run.plan.study}, tier {run.plan.tier}: {tally(run.counts)}"
            yield Command(f"Run {safe(run.run.id, _LONGEST)}", told, partial(self._run, run))
        for study, claims in home.claims.items():
            for claim in claims:
                says = safe(claim.says, _LONGEST)
                show = partial(self._claim, study, claim.number)
                yield Command(f"Claim {claim.number} {study}: {says}", claim.state, show)

    def _study(self, name: str, mode: str) -> None:
        self._main_app.data.choose_study(name)
        self._main_app.action_go(mode)

    def _run(self, line: RunLine) -> None:
        self._main_app.data.choose_study(line.plan.study)
        self._main_app.data.show_run(line.run.folder)
        self._main_app.action_go("results")

    def _claim(self, study: str, number: str) -> None:
        self._main_app.data.wanted_claim = number
        self._study(study, "claims")
