"""The app: the screens, the keys that hold everywhere, and the timer that takes up messages."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.theme import Theme, ThemeProvider
from textual.timer import Timer

from manifests.run_folder import Run
from services.more_processes import MoreProcesses
from tui.app_actions import ActionApp
from tui.loaded import ComparedRuns, Curves, Loaded, Notice, Probed, Remarks, Verdicts
from tui.pages import PAGES
from tui.palette import AppCommands, NamedCommands, Palette
from tui.screens.base import Page
from tui.signals import Signals, suspend
from tui.text import safe
from tui.themes import THEMES, fitting
from tui.widgets.head import Head

if TYPE_CHECKING:
    from services.selection import RunOptions
    from tui.replay import Replay

BEAT_S = 0.2
RESTING_BEAT_S = 1.0
"""Where a cell is timed and nobody looks; what has come is taken up no more often then."""
_LOOKED_AT_S = 2.0
"""Whoever has pressed a key sees what it did, also then."""


class Repliquant(ActionApp):
    """Ends with "go-on" when a run is to go on without the screen, else with ""."""

    TITLE = "Repliquant"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = App.COMMANDS | {AppCommands, NamedCommands}
    MODES: ClassVar = PAGES
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"go('{mode}')", mode.title(), show=False)
          for n, mode in enumerate(PAGES, 1)),
        Binding("question_mark", "help", "Help"),
        Binding("q", "leave", "Leave"),
        Binding("ctrl+c", "leave", "Leave", show=False, priority=True),
        Binding("ctrl+z", "suspend_process", "Suspend", show=False, priority=True),
    ]  # fmt: skip

    def __init__(
        self,
        options: RunOptions | None = None,
        *,
        readonly: bool = False,
        replay: Replay | None = None,
        sample: bool = True,
        theme: str = "",
    ) -> None:
        super().__init__(options, readonly, replay, sample)
        self._asked = self.live.queue.asked
        self._renewal_due = False
        self._verdicts_due: Verdicts | None = None
        self._run_asked_for = options.request.run_dir if options else None
        self._theme = theme
        self._signals = Signals(self.live.queue, lambda: self.exit("", return_code=130))
        self._drawn_s = self._touched_s = time.monotonic()
        self._next_beat: Timer | None = None
        self._due_s = 0.0

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme or fitting(self.console.color_system, self.kept.theme)
        self.theme_changed_signal.subscribe(self, self._keep_theme)
        self._signals.heed(asyncio.get_running_loop())
        replay = self.live.replay
        self.switch_mode("run" if replay else "home")
        self._beat_in(BEAT_S)
        self.call_after_refresh(self._begin)

    def _keep_theme(self, theme: Theme) -> None:
        self.kept.theme = theme.name

    def on_resize(self) -> None:
        """A terminal made small and large again has lost what was on it, though no size changed."""
        if self._top is not None:
            self._top.refresh(layout=True)

    def _begin(self) -> None:
        """What takes time begins when the first screen has been drawn."""
        replay, sampling = self.live.replay, self.live.sampling
        self.data.survey()
        self.data.home.look_at_machine()
        self.data.show_run(replay.recording.run.folder if replay else self._run_asked_for)
        if replay is None:
            self.data.plan(self.data.options)
        if sampling is not None:
            self.run_worker(sampling.start, thread=True, group="sampling", exit_on_error=False)

    def on_unmount(self) -> None:
        self._signals.forget()
        if self.live.sampling is not None:
            self.live.sampling.leave()

    # --- keys that hold everywhere

    async def on_event(self, event: events.Event) -> None:
        """A key or a click between two pages, when there is no screen, is for neither."""
        if isinstance(event, events.InputEvent):
            self._touched_s = time.monotonic()
            self._beat_in(BEAT_S)
            if self._top is None:
                return
        await super().on_event(event)

    def action_go(self, mode: str) -> None:
        """To one of the screens; what lies on top of another stays there."""
        if isinstance(self._top, Page):
            self.switch_mode(mode)

    async def action_back(self) -> None:
        """The screen's own way back, else the page under this one."""
        screen = self.screen
        undo = getattr(screen, "undo", None)
        if undo is not None and undo():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_command_palette(self) -> None:
        if not isinstance(self._top, Palette):
            self.push_screen(Palette())  # without an id: one that was closed may still be there

    def search_themes(self) -> None:
        """In a palette that is closed once, however often it is asked to."""
        self.push_screen(Palette(providers=[ThemeProvider], placeholder="Search for themes…"))

    def action_doctor(self) -> None:
        """What this machine can run, how it is set and how busy it is."""
        from tui.screens.machine import MachineScreen

        if not isinstance(self.screen, MachineScreen):
            self.push_screen(MachineScreen())

    def action_suspend_process(self) -> None:
        """As any program of a terminal; a browser has no shell to go back to."""
        if not suspend(self._driver):
            self.notify("Nothing to suspend: no shell started this.")

    def action_help(self) -> None:
        from tui.screens.help import Help

        screen = self.screen
        if isinstance(screen, Page):
            self.push_screen(Help(screen.about, screen))

    @property
    def _top(self) -> Screen[Any] | None:
        """The screen that is seen; None in the moment in which one gives way to another."""
        try:
            return self.screen
        except ScreenStackError:
            return None

    def renew(self) -> None:
        """What the shown page shows may have changed."""
        page = self._top
        self._renewal_due = isinstance(page, Page) and not page.settled
        if isinstance(page, Page) and page.settled:
            page.renew()

    def _beat_in(self, wait_s: float) -> None:
        """The next beat comes after ``wait_s`` seconds, or sooner where it was to come then."""
        due_s = time.monotonic() + wait_s
        if self._next_beat is not None:
            if self._due_s <= due_s:
                return
            self._next_beat.stop()
        self._due_s, self._next_beat = due_s, self.set_timer(wait_s, self._beat)

    def _beat(self) -> None:
        self._next_beat = None
        self.take_up_messages()
        now_s = time.monotonic()
        rest_s = self.live.rest_s if now_s - self._touched_s > _LOOKED_AT_S else 0.0
        self._beat_in(min(RESTING_BEAT_S, rest_s) or BEAT_S)
        if self.live.sampling is not None:
            self.live.sampling.rest(rest_s > 0)
        if now_s - self._drawn_s < rest_s:
            return
        self._drawn_s = now_s
        with contextlib.suppress(NoMatches):  # a page that is just being taken down
            self._beat_pages()

    def _beat_pages(self) -> None:
        screen = self._top
        if isinstance(screen, Page) and screen.settled:
            if self._renewal_due:  # what came while its widgets were being made
                self.renew()
            screen.query_one(Head).status = self.status_line
            if self._asked != self.live.queue.asked:
                self._asked = self.live.queue.asked
                screen.refresh_bindings()
            if self.live.moving or screen.watches_load:
                screen.beat()
            if self._verdicts_due and screen.watches_runs and not self.live.queue.active:
                self._show_due(self._verdicts_due)
        page = self._screen_stacks.get("run", [])[:1]
        if page and isinstance(page[0], Page) and page[0].settled:
            page[0].follow(self.live.follow())

    def open_manifest(self, run: Run, cell: str) -> None:
        """Read one manifest and show it; one that can't be read says why."""
        from tui.screens.manifest import ManifestScreen

        try:
            manifest = run.manifest(cell)
        except Exception as error:  # a file that was damaged or deleted meanwhile
            self.complain(str(error))
            return
        if manifest is None:
            self.notify("This cell has no manifest yet.")
            return
        self.push_screen(ManifestScreen(run, manifest, self.current_mode))

    def open_attempt(self, run: Run, folder: str) -> None:
        """One attempt at a cell, by the name of its folder."""
        from tui.screens.manifest import ManifestScreen
        from tui.views.result_words import read_attempt

        manifest = read_attempt(run, folder)
        if manifest is None:
            self.notify("This attempt can't be read.")
            return
        self.push_screen(ManifestScreen(run, manifest, self.current_mode, folder))

    @on(Loaded)
    def _take(self, message: Loaded) -> None:
        """What background work has come to."""
        value = message.value
        if isinstance(value, Notice):
            self._say(value)
        elif isinstance(value, Remarks):
            self._list(value)
        elif isinstance(value, ComparedRuns):
            self._compare(value)
        elif isinstance(value, Curves):
            self._draw(value)
        elif isinstance(value, Verdicts):
            self._judge(value)
        elif isinstance(value, Probed):
            self._show_matrix(value)
        elif isinstance(value, MoreProcesses):
            self.run_actions.start_more(value)
        else:
            self.data.take(value)
            self.renew()
            if getattr(value, "go", False):
                self.action_go("plan")
            if getattr(value, "start", False) and self.data.planned is not None:
                self.run_actions.start(self.data.planned.request)

    def _say(self, notice: Notice) -> None:
        if notice.severity == "error":
            self.complain(notice.text)
        else:
            self.notify(safe(notice.text, 1000), markup=False, timeout=8)

    def _list(self, found: Remarks) -> None:
        from tui.screens.remarks import RemarksScreen

        self.push_screen(RemarksScreen(found.about, found.title, found.remarks, self.current_mode))

    def _compare(self, compared: ComparedRuns) -> None:
        from tui.screens.comparison import CompareScreen

        self.push_screen(CompareScreen(compared))

    def _draw(self, curves: Curves) -> None:
        """On top of what is seen; why there is none is said."""
        from tui.screens.curves import CurvesScreen

        if curves.found:
            self.push_screen(CurvesScreen(curves))
        else:
            self.notify("No curve: these cells told no steps, and have no samples to draw.")

    def _show_matrix(self, probed: Probed) -> None:
        from tui.screens.matrix import MatrixScreen

        self.push_screen(MatrixScreen(probed.shown))

    def _judge(self, found: Verdicts) -> None:
        """At once where somebody asked; at a run's end when the run is looked at."""
        if found.by_itself:
            self._verdicts_due = found if found.shown.evidence.claims else None
        else:
            self._show_verdicts(found)

    def _show_due(self, found: Verdicts) -> None:
        """Unless another run has been started since."""
        self._verdicts_due = None
        results, run = found.shown.results, self.live.run
        if results is not None and run is not None and results.run.folder == run.folder:
            self._show_verdicts(found)

    def _show_verdicts(self, found: Verdicts) -> None:
        from tui.screens.verdicts import VerdictsScreen

        self._verdicts_due = None
        if not isinstance(self._top, VerdictsScreen):
            self.push_screen(VerdictsScreen(found.shown))
