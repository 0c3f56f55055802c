"""The app: the screens, the keys that hold everywhere, and the timer that takes up news."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen

from manifests.run_folder import Run
from orchestrator.messages import CellEnded
from tui import messages
from tui.actions.export import Writing
from tui.actions.run import Running
from tui.data import Shelf
from tui.faults import Faults
from tui.live import Stage
from tui.pages import PAGES
from tui.palette import KitCommands, Palette
from tui.run_queue import Ended
from tui.screens.base import Page
from tui.signals import Signals, suspend
from tui.text import safe
from tui.themes import THEMES, fitting, paint
from tui.widgets.head import Head

if TYPE_CHECKING:
    from services.selection import Wish
    from tui.replay import Replay

BEAT_S = 0.2


class Repliquant(Faults):
    """Ends with "go-on" when a run is to go on without the screen, else with ""."""

    TITLE = "Repliquant"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = App.COMMANDS | {KitCommands}
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
        wish: Wish | None = None,
        *,
        readonly: bool = False,
        replay: Replay | None = None,
        sample: bool = True,
        theme: str = "",
    ) -> None:
        super().__init__()
        self.readonly = readonly or replay is not None
        self.stage = Stage(replay, sample)
        study = replay.recording.plan.study if replay else wish.request.study if wish else ""
        self.shelf = Shelf(self, wish, study)
        self.running = Running(self)
        self.writing = Writing(self)
        self._asked = self.stage.conducting.asked
        self._run_asked_for = wish.request.run_dir if wish else None
        self._theme = theme
        self._signals = Signals(self.stage.conducting, lambda: self.exit("", return_code=130))

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme or fitting(self.console.color_system)
        self._signals.heed(asyncio.get_running_loop())
        replay = self.stage.replay
        self.switch_mode("run" if replay else "studies")
        self.set_interval(BEAT_S, self._beat)
        self.call_after_refresh(self._begin)

    def on_resize(self) -> None:
        """A terminal made small and large again has lost what was on it, though no size changed."""
        if self._top is not None:
            self._top.refresh(layout=True)

    def _begin(self) -> None:
        """What takes time begins when the first screen has been drawn."""
        replay, sampling = self.stage.replay, self.stage.sampling
        self.shelf.survey()
        self.shelf.show_run(replay.recording.run.folder if replay else self._run_asked_for)
        if replay is None:
            self.shelf.plan(self.shelf.wish)
        if sampling is not None:
            self.run_worker(sampling.start, thread=True, group="sampling", exit_on_error=False)

    def on_unmount(self) -> None:
        self._signals.forget()
        if self.stage.sampling is not None:
            self.stage.sampling.leave()

    def action_leave(self) -> None:
        """At once when nothing runs, else with a question."""
        self.running.ask_to_leave()

    # --- keys that hold everywhere

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
            self.push_screen(Palette(id="--command-palette"))

    def action_suspend_process(self) -> None:
        """As any program of a terminal; a browser has no shell to go back to."""
        if not suspend(self._driver):
            self.notify("There is nothing to suspend here: this is no terminal of a shell.")

    def action_help(self) -> None:
        from tui.screens.help import Help

        screen = self.screen
        if isinstance(screen, Page):
            self.push_screen(Help(screen.about, screen))

    def refused(self, what: str) -> bool:
        """Whether this is a screen to look at only; it says so."""
        if self.readonly:
            why = "this is a replay" if self.stage.replay else "--readonly"
            self.notify(f"{what} is off: {why}.", severity="warning")
        return self.readonly

    def paint(self, tone: str) -> str:
        """A colour of the theme for rich texts."""
        return paint(self.current_theme, tone)

    def complain(self, text: str) -> None:
        """Show an error of any origin."""
        self.notify(safe(text, 1000), severity="error", markup=False, timeout=12)

    @property
    def news_line(self) -> str:
        """What the first line says at its end."""
        return self.stage.status_line or ("readonly" if self.readonly else "")

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
        if isinstance(page, Page) and page.settled:
            page.renew()

    def _beat(self) -> None:
        self.take_up_news()
        with contextlib.suppress(NoMatches):  # a page that is just being taken down
            self._beat_pages()

    def take_up_news(self) -> None:
        """What has come from the run since the last time."""
        for news, _ in self.stage.take_news():
            if isinstance(news, CellEnded):
                self.shelf.states[news.planned.id] = (news.manifest.status, news.manifest.reason)
            elif isinstance(news, Ended):
                self.running.tell_end(news)
                self.shelf.survey()
                self.shelf.show_ended(news.run, news.study)
                self.shelf.plan_again()

    def _beat_pages(self) -> None:
        screen = self._top
        if isinstance(screen, Page) and screen.settled:
            screen.query_one(Head).news = self.news_line
            if self._asked != self.stage.conducting.asked:
                self._asked = self.stage.conducting.asked
                screen.refresh_bindings()
            if self.stage.moving or screen.mode == "run":
                screen.beat()
        page = self._screen_stacks.get("run", [])[:1]
        if page and isinstance(page[0], Page) and page[0].settled:
            page[0].follow(self.stage.follow())

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

    def action_report(self) -> None:
        """A page of the run that is shown."""
        self.writing.ask_report()

    def action_bundle(self) -> None:
        """An archive of the run that is shown."""
        self.writing.ask_bundle()

    def action_verify(self) -> None:
        """Check an archive."""
        self.writing.ask_verify()

    def action_doctor(self) -> None:
        """What this machine can run."""
        self.writing.doctor()

    # --- messages of background work

    @on(messages.Surveyed)
    def _on_surveyed(self, message: messages.Surveyed) -> None:
        self.shelf.surveyed[message.line.study.id] = message.line
        self.renew()

    @on(messages.PlanReady)
    def _on_plan_ready(self, message: messages.PlanReady) -> None:
        self.shelf.take_plan(message.planned)
        self.renew()
        if message.go:
            self.action_go("plan")

    @on(messages.PlanFailed)
    def _on_plan_failed(self, message: messages.PlanFailed) -> None:
        self.shelf.planned, self.shelf.plan_problem = None, message.why
        self.renew()

    @on(messages.ResultsReady)
    def _on_results_ready(self, message: messages.ResultsReady) -> None:
        self.shelf.results, self.shelf.results_problem = message.results, ""
        self.renew()

    @on(messages.ResultsFailed)
    def _on_results_failed(self, message: messages.ResultsFailed) -> None:
        self.shelf.results, self.shelf.results_problem = None, message.why
        self.shelf.published = message.speedups
        self.renew()

    @on(messages.Judged)
    def _on_judged(self, message: messages.Judged) -> None:
        self.shelf.take_judgement(message.judgement)
        self.renew()

    @on(messages.Listed)
    def _on_listed(self, message: messages.Listed) -> None:
        from tui.screens.findings import FindingsScreen

        self.push_screen(
            FindingsScreen(message.about, message.title, message.findings, self.current_mode)
        )

    @on(messages.Compared)
    def _on_compared(self, message: messages.Compared) -> None:
        from tui.screens.comparison import CompareScreen

        self.push_screen(CompareScreen(message.names, message.found))

    @on(messages.Told)
    def _on_told(self, message: messages.Told) -> None:
        if message.severity == "error":
            self.complain(message.text)
        else:
            self.notify(safe(message.text, 1000), markup=False, timeout=8)
