"""Screen 1: what this is, on which machine, the studies with their verdicts, and the runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Static

from services.shown_commands import status_command
from tui.copying import Copied
from tui.loaded import MOST_COMPARED
from tui.screens.base import Page
from tui.states import tally
from tui.text import safe
from tui.views import home
from tui.widgets.rows import Rows

if TYPE_CHECKING:
    from services.selection import RunOptions
    from tui.loaders import RunLine, StudyLine
    from tui.screens.start import Chosen

LOOK_EVERY_S = 6.0
_FEW_RUNS, _RUNS = 4, 10
_TONES = {"good": "success", "bad": "error", "warn": "warning", "accent": "primary"}


class HomeScreen(Page):
    """A row a study, a row a run; beside or below them, what the study is."""

    mode = "home"
    about = "Home: the papers that can be run again, how far they hold here, and the runs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "Start", tooltip="how much of this study, what it takes, and go"),
        Binding("p", "plan", "Plan", show=False, tooltip="the cells of this study"),
        Binding("r", "results", "Results", tooltip="its tables beside what was measured"),
        Binding("c", "claims", "Claims", tooltip="what its paper claims, and how far it holds"),
        Binding("d", "app.doctor", "Doctor", tooltip="what this machine can run"),
        Binding("v", "app.verify", "Verify", tooltip="check an archive of a run"),
        Binding("tab", "other_list", "Runs", show=False, tooltip="from the studies to the runs"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._marked: list[str] = []

    def body(self) -> ComposeResult:
        yield Static(home.WHAT, id="what", classes="line")
        yield Static(id="machine-line", classes="line")
        yield Static(id="now-line", classes="line")
        with Container(id="home"):
            with Vertical(id="lists"):
                yield Rows(id="studies", nothing="There are no studies.")
                yield Rows(id="runs", nothing="No run yet.", marks=True)
                with VerticalScroll(id="about", can_focus=False):
                    yield Static(id="text")
            with VerticalScroll(id="home-claims", can_focus=False):
                yield Static(id="verdicts")
        yield Static(id="next", classes="line")

    def on_mount(self) -> None:
        self._studies.focus()
        self.set_interval(LOOK_EVERY_S, self._look_again)

    @property
    def _studies(self) -> Rows:
        return self.query_one("#studies", Rows)

    @property
    def _runs(self) -> Rows:
        return self.query_one("#runs", Rows)

    def renew(self) -> None:
        data = self.main_app.data.home
        width = self._room
        names, runs = data.study_names, data.runs or ()
        self._studies.styles.height = len(names) + 1
        self._studies.show(home.studies_table(names, data.surveyed, data.verdicts, width))
        wide = self.size.width >= home.WIDE
        self._runs.styles.height = min(max(1, len(runs)), _RUNS if wide else _FEW_RUNS) + 1
        self._runs.nothing = "No run yet." if data.runs is not None else "reading …"
        running = self._run_going_on
        self._runs.show(home.runs_table(runs, running, self._marked, width))
        self.query_one("#machine-line", Static).update(
            home.machine_line(data.machine, data.business)
        )
        self.beat()
        self._describe()

    def beat(self) -> None:
        """What goes on now."""
        live = self.main_app.live
        text = Text("now      ", "dim", no_wrap=True, overflow="ellipsis")
        shown = live.run_state.shown
        title = f"   {shown.planned.cell.title}" if shown and live.moving else ""
        told = f"{live.status_line}{title}" if live.moving else "nothing runs"
        text.append(safe(told), "not dim")
        self.query_one("#now-line", Static).update(text)

    def on_resize(self) -> None:
        if self.settled:
            self.renew()

    def action_plan(self) -> None:
        self._go("plan")

    def action_results(self) -> None:
        if self._on_runs:
            self._show_run(self._runs.cursor)
        else:
            self._go("results")

    def action_claims(self) -> None:
        self._go("claims")

    def action_start(self) -> None:
        """Ask how much of the study, with what it would take."""
        from tui.screens.start import Start

        line = self._line
        if line is None or self.main_app.refused("Running cells"):
            return
        self.app.push_screen(Start(line.study, self.main_app.data.options), self._take_start)

    def _take_start(self, chosen: Chosen | None) -> None:
        from tui.screens.start import OPTIONS, START

        if chosen is None:
            return
        data = self.main_app.data
        if chosen.what == START:
            data.plan_and_start(chosen.options)
            return
        if chosen.what == OPTIONS:
            self._ask_options(chosen.options)
        else:
            self._plan_it(chosen.options)

    def _ask_options(self, options: RunOptions) -> None:
        """Everything that can be chosen; then to the plan that it makes."""
        from tui import run_form
        from tui.screens.dialogs import Form

        line = self.main_app.data.surveyed[options.request.study]
        form = Form(
            "Run options",
            run_form.fields(options, line.study, None),
            "Plan it",
            check=lambda answers: run_form.problem(options, answers),
            live=lambda answers: run_form.would_take(options, answers),
        )
        self.app.push_screen(
            form,
            lambda answers: self._plan_it(run_form.chosen(options, answers)) if answers else None,
        )

    def _plan_it(self, options: RunOptions) -> None:
        data = self.main_app.data
        data.plan(options)
        data.show_run(options.request.run_dir)
        self.main_app.action_go("plan")

    def action_other_list(self) -> None:
        (self._studies if self._on_runs else self._runs).focus()
        self._say_next()

    def _go(self, mode: str) -> None:
        self.main_app.data.choose_study(self._study)
        self.main_app.action_go(mode)

    def copies(self) -> Sequence[Copied]:
        from services.citations import paper_citation

        run, study = self._run, self._study
        if self._on_runs and run is not None:
            return (
                Copied("y", "the run's folder", str(run.run.folder)),
                Copied("m", "the command that shows it", status_command(run.run)),
                Copied("r", "the row", f"{run.run.id}\t{run.plan.tier}\t{tally(run.counts)}"),
            )
        if not study:
            return ()
        return (
            Copied("y", "the paper's citation", paper_citation(study)),
            Copied("m", "the command that runs it", f"repliquant run {study}"),
        )

    @property
    def _room(self) -> int:
        """Columns of the lists: on a wide screen the claims stand beside them."""
        width = self.size.width
        return width if width < home.WIDE else width * 11 // 20

    @property
    def _on_runs(self) -> bool:
        return self.focused is not None and self.focused.id == "runs"

    @property
    def _run_going_on(self) -> str:
        live = self.main_app.live
        return str(live.run.folder) if live.queue.active and live.run is not None else ""

    @property
    def _study(self) -> str:
        """Of the row under the cursor, in whichever list that is."""
        run = self._run
        if self._on_runs and run is not None:
            return run.plan.study
        names = self.main_app.data.study_names
        return names[self._studies.cursor] if self._studies.cursor < len(names) else ""

    @property
    def _run(self) -> RunLine | None:
        runs = self.main_app.data.home.runs or ()
        return runs[self._runs.cursor] if self._runs.cursor < len(runs) else None

    @on(Rows.Opened, "#studies")
    def _opened(self) -> None:
        self.action_plan()

    @on(Rows.Opened, "#runs")
    def _run_opened(self, event: Rows.Opened) -> None:
        if len(self._marked) > 1:
            self._compare()
        else:
            self._show_run(event.index)

    @on(Rows.Marked, "#runs")
    def _mark(self, event: Rows.Marked) -> None:
        """Those that were marked last, a few at most."""
        runs = self.main_app.data.home.runs or ()
        if event.index >= len(runs):
            return
        folder = str(runs[event.index].run.folder)
        without = [one for one in self._marked if one != folder]
        self._marked = without if folder in self._marked else [*without, folder][-MOST_COMPARED:]
        self.renew()

    @on(Rows.Moved)
    def _moved(self) -> None:
        self._describe()

    def on_descendant_focus(self) -> None:
        if self.settled:
            self._describe()

    def _show_run(self, index: int) -> None:
        runs = self.main_app.data.home.runs or ()
        if index < len(runs):
            self.main_app.data.choose_study(runs[index].plan.study)
            self.main_app.data.show_run(runs[index].run.folder)
            self.main_app.action_go("results")

    def _compare(self) -> None:
        """The oldest run is what the newer ones are compared with: the latest stands first."""
        runs = self.main_app.data.home.runs or ()
        folders = [one.run.folder for one in runs if str(one.run.folder) in self._marked]
        if len(folders) > 1:
            self.main_app.data.compare(folders[::-1])

    def _look_again(self) -> None:
        """Not while a cell is timed, and not while nobody sees it."""
        app = self.main_app
        if app.screen is self and not app.live.moving and app.data.home.business is not None:
            app.data.home.look_again_who_is_busy()

    def _describe(self) -> None:
        line = self._line
        states = self.main_app.data.home.verdicts.get(self._study, {})
        paint = {tone: self.main_app.paint(name) for tone, name in _TONES.items()}
        text = home.about_study(line, states, paint) if line else Text("reading …", style="dim")
        self.query_one("#text", Static).update(text)
        rows = self.main_app.data.home.verdict_rows.get(self._study, ())
        room = self.size.width - self._room - 4
        self.query_one("#verdicts", Static).update(home.claims_list(rows, room, paint))
        self._say_next()

    @property
    def _line(self) -> StudyLine | None:
        return self.main_app.data.surveyed.get(self._study)

    def _say_next(self) -> None:
        watching = self.main_app.live.moving
        self.query_one("#next", Static).update(home.next_line(self._line, watching, self._on_runs))
