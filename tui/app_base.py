"""What screens and actions may ask of the app, whatever else it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from textual.screen import Screen
from textual.widget import AwaitMount

from manifests.run_folder import Run
from orchestrator.messages import CellEnded
from tui.data import Data
from tui.faults import Faults
from tui.kept import Kept
from tui.live import Live
from tui.run_queue import Ended
from tui.screens.dialog_base import Dialog
from tui.text import safe
from tui.themes import paint

if TYPE_CHECKING:
    from services.selection import RunOptions
    from tui.replay import Replay


class AppBase(Faults):
    """What a person looks at is in ``data``, what runs in ``live``."""

    def __init__(
        self, options: RunOptions | None, readonly: bool, replay: Replay | None, sample: bool
    ) -> None:
        super().__init__()
        self.readonly = readonly or replay is not None
        self.kept = Kept()
        self.live = Live(replay, sample)
        study = replay.recording.plan.study if replay else options.request.study if options else ""
        self.data = Data(self, self.renew, options, study)

    def push_screen(self, screen: Screen[Any] | str, *arguments: Any, **more: Any) -> Any:
        """A dialog that is asked for again while it is being made opens once.

        Two of a kind on top of each other, below a third screen, draw each other without end.
        """
        top = self.screen_stack[-1] if self.screen_stack else None
        if isinstance(top, Dialog) and type(screen) is type(top):
            return AwaitMount(top, ())
        return super().push_screen(screen, *arguments, **more)

    def renew(self) -> None:
        """What the shown page shows may have changed."""
        _left_to_the_app("renew")

    def open_manifest(self, run: Run, cell: str) -> None:
        """Read one manifest and show it; one that can't be read says why."""
        _left_to_the_app("open_manifest")

    def open_attempt(self, run: Run, folder: str) -> None:
        """One attempt at a cell, by the name of its folder."""
        _left_to_the_app("open_attempt")

    def action_go(self, mode: str) -> None:
        """To one of the screens; what lies on top of another stays there."""
        _left_to_the_app("action_go")

    def refused(self, what: str) -> bool:
        """Whether this is a screen to look at only; it says so."""
        if self.readonly:
            why = "this is a replay" if self.live.replay else "--readonly"
            self.notify(f"{what} is off: {why}.", severity="warning")
        return self.readonly

    def paint(self, tone: str) -> str:
        """A colour of the theme for rich texts."""
        return paint(self.current_theme, tone)

    def complain(self, text: str) -> None:
        """Show an error of any origin."""
        self.notify(safe(text, 1000), severity="error", markup=False, timeout=12)

    @property
    def status_line(self) -> str:
        """What the first line says at its end."""
        rest_s = self.live.rest_s
        rarely = f", drawn every {rest_s:g} s" if rest_s else ""
        return f"{self.live.status_line}{rarely}" or ("readonly" if self.readonly else "")

    def take_up_messages(self) -> None:
        """What has come from the run since the last time."""
        for message, _ in self.live.take_messages():
            if isinstance(message, CellEnded):
                manifest = message.manifest
                self.data.states[message.planned.id] = (manifest.status, manifest.reason)
            elif isinstance(message, Ended):
                self._end(message)

    def _end(self, ended: Ended) -> None:
        """Say how a request came out, and show what it left."""
        if ended.error:
            self.complain(ended.error)
        else:
            self.notify(ended.told)
        self.data.survey()
        self.data.show_ended(ended.run, ended.study)
        if ended.outcome is not None and not (ended.paused or ended.cancelled):
            self.data.judge_run(ended.run, ended.ending, by_itself=True)
        self.data.plan_again()


def _left_to_the_app(what: str) -> NoReturn:
    raise NotImplementedError(f"the app itself has {what}")
