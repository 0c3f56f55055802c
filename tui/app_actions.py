"""The app with what a person does on it, from any screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions.export import ExportActions
from tui.actions.run import RunActions
from tui.app_base import AppBase

if TYPE_CHECKING:
    from services.selection import RunOptions
    from tui.replay import Replay


class ActionApp(AppBase):
    """``run_actions`` start and end runs, ``export_actions`` write and check files."""

    def __init__(
        self, options: RunOptions | None, readonly: bool, replay: Replay | None, sample: bool
    ) -> None:
        super().__init__(options, readonly, replay, sample)
        self.run_actions = RunActions(self)
        self.export_actions = ExportActions(self)

    def action_leave(self) -> None:
        """At once when nothing runs, else with a question."""
        self.run_actions.ask_to_leave()

    def action_report(self) -> None:
        """A page of the run that is shown."""
        self.export_actions.ask_report()

    def action_bundle(self) -> None:
        """An archive of the run that is shown."""
        self.export_actions.ask_bundle()

    def action_verify(self) -> None:
        """Check an archive."""
        self.export_actions.ask_verify()
