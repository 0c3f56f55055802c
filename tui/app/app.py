"""The app: what all screens share, and the one timer that takes up what threads left."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, ClassVar

from textual import on, work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import get_current_worker

from manifests.plan import PlannedCell
from manifests.store import Run
from orchestrator.errors import KitError
from orchestrator.news import CellEnded
from orchestrator.sessions import Prepared, Request
from orchestrator.study import study_ids
from tables.comparison import Comparison
from tui.app import reading
from tui.app.conducting import Conducting, Ended, Heard
from tui.app.course import Course
from tui.app.machine import Trace
from tui.app.messages import (
    PlanFailed,
    PlanReady,
    ResultsFailed,
    ResultsReady,
    Surveyed,
    Told,
)  # fmt: skip
from tui.app.palette import KitCommands
from tui.app.reading import Results, StudyLine
from tui.app.replay import SPEEDS, Replay
from tui.app.screens.base import Page
from tui.app.screens.dialogs import Choice, Question
from tui.app.screens.explain import ExplainScreen
from tui.app.screens.help import Help
from tui.app.screens.manifest import ManifestScreen
from tui.app.screens.plan import PlanScreen
from tui.app.screens.results import ResultsScreen
from tui.app.screens.run import RunScreen
from tui.app.screens.studies import StudiesScreen
from tui.app.tails import FileTail
from tui.app.telemetry import Sampling
from tui.app.text import clock, safe
from tui.app.themes import THEMES, fitting, paint
from tui.app.widgets.head import Head
from tui.words import count, duration

BEAT_S = 0.2
_SHOWN_NOTES = 400


class Repliquant(App[str]):
    """Ends with "go-on" when a run is to go on without the screen, else with ""."""

    TITLE = "Repliquant"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = App.COMMANDS | {KitCommands}
    MODES: ClassVar = {
        "studies": StudiesScreen,
        "plan": PlanScreen,
        "run": RunScreen,
        "results": ResultsScreen,
        "explain": ExplainScreen,
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(n), f"go('{mode}')", mode.title(), show=False)
          for n, mode in enumerate(MODES, 1)),
        Binding("question_mark", "help", "Help"),
        Binding("q", "leave", "Leave"),
        Binding("ctrl+c", "leave", "Leave", show=False, priority=True),
    ]  # fmt: skip

    def __init__(
        self,
        request: Request | None = None,
        *,
        readonly: bool = False,
        replay: Replay | None = None,
        sample: bool = True,
        theme: str = "",
    ) -> None:
        super().__init__()
        self.study_names = study_ids()
        first = replay.recording.plan.study if replay else next(iter(self.study_names), "")
        self.request = request or Request(first)
        self.readonly = readonly or replay is not None
        self.replay = replay
        self.surveyed: dict[str, StudyLine] = {}
        self.prepared: Prepared | None = None
        self.plan_problem = ""
        self.states: dict[str, reading.State] = {}
        self.groups: dict[str, str] = {}
        self.marked_cells: set[str] = set()
        self.results: Results | None = None
        self.results_problem = ""
        self.course = Course()
        self.running_run: Run | None = replay.recording.run if replay else None
        self.trace = Trace()
        self.sampling = Sampling(self.trace) if sample and replay is None else None
        self.conducting = Conducting(self.sampling.sampler if self.sampling else None)
        self.cut_off = False
        self.failure = 0
        self._tails: list[FileTail] = []
        self._logged = ""
        self._noted = 0
        self._start = "run" if replay else "studies"
        self._theme = theme

    # --- beginning and end

    def on_mount(self) -> None:
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = self._theme or fitting(self.console.color_system)
        self.switch_mode(self._start)
        self.set_interval(BEAT_S, self._beat)
        self._survey()
        if self.replay is None:
            self.plan_with(self.request)
        self.show_run(self.replay.recording.run.folder if self.replay else None)
        if self.sampling is not None:
            self._begin_sampling()

    @work(thread=True, group="sampling")
    def _begin_sampling(self) -> None:
        if self.sampling is not None:
            self.sampling.start()

    def on_unmount(self) -> None:
        if self.sampling is not None:
            self.sampling.leave()

    def action_leave(self) -> None:
        """At once when nothing runs, else with a question."""
        if not self.conducting.active:
            self.exit("")
            return
        lines = ["Cells that are finished are kept, whatever you choose."]
        choices = [
            Choice("g", "Go on without the screen", "go-on"),
            Choice("p", "End after this cell", "pause"),
            Choice("c", "Cancel", "cancel", danger=True),
        ]
        self.push_screen(Question("A run goes on", lines, choices), self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer == "pause":
            self.conducting.pause()
        elif answer == "cancel":
            self.conducting.cancel("cancelled from the screen")
        if answer:
            self.exit("go-on")

    def paint(self, tone: str) -> str:
        """A colour of the theme for rich texts."""
        return paint(self.current_theme, tone)

    # --- keys that hold everywhere

    def action_go(self, mode: str) -> None:
        """To one of the five screens; what lies on top of another stays there."""
        if isinstance(self.screen, Page):
            self.switch_mode(mode)

    async def action_back(self) -> None:
        """The screen's own way back, else the page under this one."""
        screen = self.screen
        undo = getattr(screen, "action_back", None)
        if undo is not None and undo():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()

    def action_help(self) -> None:
        screen = self.screen
        if isinstance(screen, Page):
            self.push_screen(Help(screen.about, screen))

    def refused(self, what: str) -> bool:
        """Whether this is a screen to look at only; it says so."""
        if self.readonly:
            why = "a replay" if self.replay else "--readonly"
            self.notify(f"{what} is off: {why}.", severity="warning")
        return self.readonly

    # --- studies and plans

    @work(thread=True, group="survey")
    def _survey(self) -> None:
        worker = get_current_worker()
        for name in self.study_names:
            if worker.is_cancelled:
                return
            try:
                self.post_message(Surveyed(reading.survey(name, self.request.tier)))
            except Exception as error:  # a study that can't be read leaves the others
                self.post_message(Told(f"{name}: {error}", "error"))

    def choose_study(self, name: str) -> None:
        """Plan another study, and show its latest run."""
        if name and name != self.request.study:
            self.plan_with(Request(name, engine=self.request.engine))
            self.show_run(None)

    def plan_with(self, request: Request) -> None:
        """Plan anew; the screens say so until it is there."""
        self.request = request
        self.prepared, self.plan_problem = None, ""
        self.marked_cells = set()
        self._renew()
        self._plan(request)

    @work(thread=True, exclusive=True, group="plan")
    def _plan(self, request: Request) -> None:
        try:
            self.post_message(PlanReady(*reading.read_plan(request)))
        except Exception as error:  # shown in the plan's place
            self.post_message(PlanFailed(_told(error)))

    def state_of(self, planned: PlannedCell) -> reading.State:
        """What a cell of the plan has come to, the run that goes on included."""
        cell = self.course.cells.get(planned.id)
        if cell is not None and planned.id in self.course.queued:
            if cell.state != "waiting":
                return cell.state, cell.reason
            if self.conducting.active:
                return "queued", ""
        found = self.states.get(planned.id, ("waiting", ""))
        return ("can't run", planned.skip) if planned.skip and found[0] == "waiting" else found

    def request_for(self, cells: list[PlannedCell], rerun: tuple[str, ...]) -> Request:
        """The request that runs just these cells (and those that they start from)."""
        prepared = self.prepared
        every = prepared is not None and len(cells) == len(prepared.chosen)
        expression = self.request.expression if every else f"id={','.join(p.id for p in cells)}"
        return self.request._replace(expression=expression, rerun=rerun)

    def what_it_takes(self, cells: list[PlannedCell], again: bool) -> list[str] | None:
        """What to know before it is started; None when there is nothing to do."""
        prepared = self.prepared
        assert prepared is not None
        todo = [p for p in cells if again or self.state_of(p)[0] not in ("ok", "running")]
        if not todo:
            return None
        seconds = sum(p.estimate_s for p in todo if not p.skip)
        skipped = sum(bool(p.skip) for p in todo)
        lines = [f"About {duration(seconds)} on engine {self.request.engine}; folder:"]
        lines.append(str(prepared.run.folder))
        if skipped:
            lines.append(f"{count(skipped, 'cell')} can't run here and will say why.")
        if again:
            lines.append("What these cells left is put aside, not deleted.")
        if self.conducting.active:
            lines.append("They wait until the run that goes on has ended.")
        return lines

    # --- running

    def start(self, request: Request) -> None:
        """Run it, or queue it behind what runs."""
        if not self.conducting.active:
            self.course = Course(self.prepared.chosen if self.prepared else ())
            self._noted = 0
        self.running_run = self.prepared.run if self.prepared else None
        self.conducting.add(request)
        self.marked_cells = set()
        self.switch_mode("run")

    def pause(self) -> None:
        """End after the cells that run now."""
        if self.refused("Pausing"):
            return
        if not self.conducting.active:
            self.notify("Nothing runs.")
            return
        self.conducting.pause()
        self.notify("The run ends after this cell; s goes on from there.")

    def ask_to_cancel(self) -> None:
        """Cancel after a question; a second time it kills."""
        if self.refused("Cancelling"):
            return
        if not self.conducting.active:
            self.notify("Nothing runs.")
            return
        kill = self.conducting.cancelling
        title = "Kill the cells that still run?" if kill else "Cancel the run?"
        lines = ["Finished cells are kept; the cell that is cut off runs again when you go on."]
        choice = Choice("y", "Kill" if kill else "Cancel it", "yes", danger=True)

        def act(answer: str | None) -> None:
            if answer == "yes" and kill:
                self.conducting.kill()
            elif answer == "yes":
                self.conducting.cancel("cancelled from the screen")

        self.push_screen(Question(title, lines, [choice]), act)

    # --- what the timer does

    @property
    def now_s(self) -> float:
        """The clock of what is shown: that of the run, or that of the replay."""
        if self.replay is not None:
            return self.replay.now_s
        return time.monotonic()

    @property
    def news_line(self) -> str:
        """What the first line says at its end."""
        if self.replay is not None:
            sign = "held" if self.replay.paused else "ended" if self.replay.ended else "replay"
            whole = clock(self.replay.recording.length_s)
            return f"{sign} {self.replay.speed:g}x  {clock(self.replay.now_s)} of {whole}"
        if not self.conducting.active:
            return "readonly" if self.readonly else ""
        sign = "cancelling" if self.conducting.cancelling else "running"
        sign = "pausing" if self.conducting.pausing and sign == "running" else sign
        waiting = len(self.conducting.waiting)
        behind = f", {waiting} queued" if waiting else ""
        return f"{sign} {self.course.ended}/{self.course.total}{behind}"

    @property
    def no_readings(self) -> str:
        """What stands where the machine's readings would."""
        return "no telemetry was recorded" if self.replay else "no readings yet"

    @property
    def idle_words(self) -> str:
        """What stands where the running cell would."""
        if self.conducting.active:
            return "getting ready …"
        return "nothing runs; s on screen 2 starts cells"

    def _beat(self) -> None:
        heard = self.replay.due() if self.replay else self.conducting.inbox.drain()
        self._take(heard)
        while self.conducting.ended:
            self._take_end(self.conducting.ended.popleft())
        moving = self.replay is not None or self.conducting.active or bool(heard)
        screen = self.screen
        if isinstance(screen, Page) and screen.settled:
            screen.query_one(Head).news = self.news_line
            if moving or isinstance(screen, RunScreen):
                screen.beat()
        self._follow_cell()

    def _take(self, heard: list[Heard]) -> None:
        for news, at_s in heard:
            self.course.take(news, at_s)
            if isinstance(news, CellEnded):
                self.states[news.planned.id] = (news.manifest.status, news.manifest.reason)

    def note_end(self, ended: Ended) -> None:
        """Remember what the exit status has to say of it."""
        self.cut_off = self.cut_off or ended.interrupted
        if ended.error:
            self.failure = ended.status
        elif ended.outcome is not None and ended.outcome.images_missing:
            self.failure = 3

    def _take_end(self, ended: Ended) -> None:
        self.note_end(ended)
        if ended.error:
            self.course.notes.append(ended.error)
            self.notify(safe(ended.error, 1000), severity="error", markup=False, timeout=15)
        elif ended.interrupted:
            self.notify("Cancelled before its first cell.")
        else:
            self.notify(f"{count(len(ended.outcome.ended) if ended.outcome else 0, 'cell')} run.")
        self.course.running.clear()
        self._survey()
        self.read_results()
        if self.prepared is not None:
            self._plan(self.request)

    def _follow_cell(self) -> None:
        """The log, the notes and the telemetry of the cell that is shown."""
        shown = self.course.shown
        cell = shown.planned.id if shown else ""
        anew = cell != self._logged
        if anew:
            self._logged = cell
            run = self.running_run
            paths = reading.log_files(run, cell) if run and cell and not self.replay else []
            self._tails = [FileTail(path) for path in paths]
        if self.replay is not None:
            self._follow_replay(cell)
            lines = self.replay.log_lines()
        else:
            lines = [line for tail in self._tails for line in tail.lines()]
        page = self.screen_of("run")
        if isinstance(page, RunScreen) and page.settled:
            page.add_log(lines, anew)
            notes = list(self.course.notes)
            page.add_notes(notes)
            self.course.notes.clear()

    def _follow_replay(self, cell: str) -> None:
        assert self.replay is not None
        if self.replay.show(cell):
            self.trace.clear()
            self.trace.opening = self.replay.opening
        for sample in self.replay.samples():
            self.trace.add(sample)

    def screen_of(self, mode: str) -> Screen[Any] | None:
        """The page at the bottom of a mode, if it has been shown."""
        stack = self._screen_stacks.get(mode) or []
        return stack[0] if stack else None

    # --- replay

    def hold_replay(self) -> None:
        if self.replay is not None:
            self.replay.due()
            self.replay.paused = not self.replay.paused

    def change_speed(self, by: int) -> None:
        """The next of ``SPEEDS``, faster or slower."""
        if self.replay is None:
            return
        faster = [s for s in SPEEDS if s > self.replay.speed] or [SPEEDS[-1]]
        slower = [s for s in SPEEDS if s < self.replay.speed] or [SPEEDS[0]]
        self.replay.speed = faster[0] if by > 0 else slower[-1]

    def skip_cell(self, by: int) -> None:
        """To the beginning of the next cell, of this one, or of the one before."""
        if self.replay is None:
            return
        begins = sorted(played.begin_s for played in self.replay.recording.cells.values())
        now_s = self.replay.now_s
        ahead = [b for b in begins if b > now_s + 0.01] or [self.replay.recording.length_s]
        behind = [b for b in begins if b < now_s - 2.0 * self.replay.speed] or [0.0]
        heard = self.replay.seek(ahead[0] if by > 0 else behind[-1])
        self.course, self._logged = Course(), "?"
        self._take(heard)
        self._renew()

    # --- results

    def show_run(self, folder: Path | None) -> None:
        """Show a run on screen 4; the study's latest one for None."""
        self.results, self.results_problem = None, ""
        self._renew()
        self._read_results(folder)

    def read_results(self) -> None:
        """Read the run that is shown again."""
        self._read_results(self.results.run.folder if self.results else None)

    @work(thread=True, exclusive=True, group="results")
    def _read_results(self, folder: Path | None) -> None:
        run = Run(folder) if folder else reading.latest(self.request.study)
        if run is None:
            text = f"no run of {self.request.study} yet: s on screen 2 starts one"
            self.post_message(ResultsFailed(text))
            return
        try:
            self.post_message(ResultsReady(reading.read_results(run)))
        except Exception as error:  # shown in the results' place
            self.post_message(ResultsFailed(_told(error)))

    def open_manifest(self, run: Run, cell: str) -> None:
        """Read one manifest and show it; one that can't be read says why."""
        try:
            manifest = run.manifest(cell)
        except Exception as error:  # a file that was damaged or deleted meanwhile
            self.notify(safe(str(error), 1000), severity="error", markup=False)
            return
        if manifest is None:
            self.notify("This cell has no manifest yet.")
            return
        self.push_screen(ManifestScreen(run, manifest, self.current_mode))

    def export(
        self, results: Results, comparisons: list[Comparison], format_: str, path: Path
    ) -> None:
        """Write tables as ``repliquant table -o`` does."""
        from tui.exporting import write_tables

        try:
            write_tables(comparisons, results.environments, format_, path)
        except KitError as error:
            self.notify(safe(str(error), 1000), severity="error", markup=False)
            return
        self.notify(f"Written: {safe(str(path))}", markup=False, timeout=8)

    def compare(self, base: Path, new: Path) -> None:
        """Two runs cell by cell."""
        self.notify("Comparing comes with repliquant compare.")

    @property
    def speedups(self) -> list[Any]:
        """Those of the shown run and of the paper."""
        return self.results.speedups if self.results else []

    # --- messages of background work

    @on(Surveyed)
    def _on_surveyed(self, message: Surveyed) -> None:
        self.surveyed[message.line.study.id] = message.line
        self._renew()

    @on(PlanReady)
    def _on_plan_ready(self, message: PlanReady) -> None:
        self.prepared, self.plan_problem = message.prepared, ""
        self.states, self.groups = message.states, message.groups
        self._renew()

    @on(PlanFailed)
    def _on_plan_failed(self, message: PlanFailed) -> None:
        self.prepared, self.plan_problem = None, message.why
        self._renew()

    @on(ResultsReady)
    def _on_results_ready(self, message: ResultsReady) -> None:
        self.results, self.results_problem = message.results, ""
        self._renew()

    @on(ResultsFailed)
    def _on_results_failed(self, message: ResultsFailed) -> None:
        self.results, self.results_problem = None, message.why
        self._renew()

    @on(Told)
    def _on_told(self, message: Told) -> None:
        self.notify(safe(message.text, 1000), severity=message.severity, markup=False)  # type: ignore[arg-type]

    def _renew(self) -> None:
        if isinstance(self.screen, Page) and self.screen.settled:
            self.screen.renew()


def _told(error: Exception) -> str:
    """An expected error says it all; another one says what it is."""
    return str(error) if isinstance(error, KitError) else f"{type(error).__name__}: {error}"
