"""What the person looks at: studies, the plan, a run's results. Read on threads, kept here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.run_folder import Run
from tui.answers import Answers
from tui.cell_places import CellPlaces
from tui.home_data import HomeData
from tui.loaded import NoPlan, NoRun, Notice, Placed
from tui.text import error_text

if TYPE_CHECKING:
    from textual.app import App

    from comparisons.decomposition import Explanation
    from orchestrator.running.request import Prepared, Request
    from services.selection import RunOptions
    from tui.loaded import Kept
    from tui.loaders import Judgement, Planned, ShownRun, State, StudyLine


class Data(Answers):
    """Each ``..._problem`` says why what it belongs to isn't there; both empty: it is being read.

    Methods are for the screen's thread; what they read comes back as messages to the app.
    """

    def __init__(
        self,
        app: App[str],
        renew: Callable[[], None],
        options: RunOptions | None,
        study: str,
    ) -> None:
        super().__init__(app)
        self._renew = renew
        self._options = options
        self.home = HomeData(app)
        self.places = CellPlaces(app)
        self.study_names = self.home.study_names
        self.study = study or next(iter(self.study_names), "")
        self.planned: Planned | None = None
        self.plan_problem = ""
        self.states: dict[str, State] = {}
        self.groups: dict[str, str] = {}
        self.marked: set[str] = set()
        self.results: ShownRun | None = None
        self.results_problem = ""
        self._ended: dict[str, Path] = {}
        self._folder: Path | None = None
        self.published: list[Explanation] = []
        self.judgement: Judgement | None = None
        self._judged_for: tuple[str, ShownRun | None] = ("", None)
        self.wanted_claim = ""

    @property
    def options(self) -> RunOptions:
        """What is planned: the study with the choices that were made."""
        if self._options is None:
            from orchestrator.running.request import Request
            from services.selection import RunOptions

            self._options = RunOptions(Request(self.study))
        return self._options

    @property
    def request(self) -> Request:
        """The request of the options, as it was made."""
        return self.options.request

    @property
    def prepared(self) -> Prepared | None:
        """The plan, once it is there."""
        return self.planned.prepared if self.planned else None

    @property
    def speedups(self) -> list[Explanation]:
        """Those of the shown run and of the paper."""
        return self.results.speedups if self.results else self.published

    @property
    def surveyed(self) -> dict[str, StudyLine]:
        """The studies that have been looked at."""
        return self.home.surveyed

    def survey(self) -> None:
        """Look at every study and every run."""
        self.home.survey(self.study, self.request.tier)

    def choose_study(self, name: str) -> None:
        """Plan another study, and show its latest run."""
        if name and name != self.study:
            request = self.request._replace(study=name, run_dir=None, expression="")
            self.plan(self.options._replace(request=request, claim="", sample=False))
            self.show_run(None)

    def plan(self, options: RunOptions) -> None:
        """Plan anew; the screens say so until it is there."""
        self._options, self.study = options, options.request.study
        self.planned, self.plan_problem = None, ""
        self.marked = set()
        self._renew()
        self.plan_again()

    def plan_again(self) -> None:
        """The same plan, with what has been learnt meanwhile."""
        options, request = self.options, self.planned.request if self.planned else None

        def look() -> None:
            from tui.loaders import read_plan

            try:
                self._post(read_plan(options, request))
            except Exception as error:  # shown in the plan's place
                self._post(NoPlan(error_text(error)))

        self._on_thread(look, "plan")

    def plan_claim(self, claim: str) -> None:
        """Plan what one claim needs, and go there. Where that is nothing, the plan stays."""
        options = self.options._replace(claim=claim, sample=False)

        def look() -> None:
            from tui.loaders import read_plan

            try:
                self._post(read_plan(options)._replace(go=True))
            except Exception as error:  # said instead
                self._post(Notice(error_text(error), "error"))

        self._on_thread(look, "plan")

    def plan_and_start(self, options: RunOptions) -> None:
        """Plan it, and run what there is to do of it at once."""

        def look() -> None:
            from tui.loaders import read_plan

            try:
                self._post(read_plan(options)._replace(start=True))
            except Exception as error:  # said instead
                self._post(Notice(error_text(error), "error"))

        self._on_thread(look, "plan")

    def take(self, value: Kept) -> None:
        """Take up what has been read, or why it could not be."""
        from tui.loaders import Judgement, Planned, ShownRun

        if isinstance(value, Planned):
            self._take_plan(value)
        elif isinstance(value, NoPlan):
            self.planned, self.plan_problem = None, value.why
        elif isinstance(value, ShownRun):
            self.results, self.results_problem = value, ""
        elif isinstance(value, NoRun):
            self.results, self.results_problem = None, value.why
            self.published = value.speedups
        elif isinstance(value, Judgement):
            self._take_judgement(value)
        elif isinstance(value, Placed):
            self.places.take(value)
        else:
            self.home.take(value)

    def _take_plan(self, planned: Planned) -> None:
        if planned.options != self._options:
            self.marked = set()
        self._options, self.study = planned.options, planned.options.request.study
        self.planned, self.plan_problem = planned, ""
        self.states, self.groups = planned.states, planned.groups

    def show_run(self, folder: Path | None) -> None:
        """Show a run on screen 4; for None the study's that ended last here, else its latest."""
        self.results, self.results_problem = None, ""
        self._folder = folder or self._ended.get(self.study)
        self._renew()
        self.read_results()

    def show_ended(self, run: Run, study: str) -> None:
        """A run has ended: show it, now or when its study is looked at again."""
        if run.plan_path.is_file():
            self._ended[study] = run.folder
        if study != self.study or (self.results and self.results.run.folder == run.folder):
            self.read_results()
        elif study in self._ended:
            self.show_run(self._ended[study])

    def read_results(self) -> None:
        """Read the run that is shown again."""
        study, folder = self.study, self._folder

        def look() -> None:
            from tui.loaders import latest, shown_by_and_by

            run = Run(folder) if folder else latest(study)
            if run is None or not run.plan_path.is_file():
                what = f"no run in {folder}" if folder else f"no run of {study}"
                text = f"{what} yet: s on screen 2 starts one"
                self._post(NoRun(text, self._published()))
                return
            try:
                for shown in shown_by_and_by(run, study):
                    self._post(shown)
            except Exception as error:  # shown in the results' place
                self._post(NoRun(error_text(error), self._published()))

        self._on_thread(look, "results")

    def _published(self) -> list[Explanation]:
        """What the paper's own numbers say, for a study without a run."""
        from papers.published import PublishedError
        from services.results import published_speedups

        try:
            return published_speedups(self.study)
        except PublishedError:
            return []

    def need_judgement(self) -> None:
        """Judge the claims on the run that is shown, unless that has been done."""
        study, results = self.study, self.results
        if self.judgement is not None and self.judgement.study != study:
            self.judgement, self._judged_for = None, ("", None)
        if not (results.whole if results else self.results_problem):
            return  # it is being read, and whoever waits is told
        if self._judged_for[0] == study and self._judged_for[1] is results:
            return
        self._judged_for = study, results

        def look() -> None:
            from tui.loaders import judge_study

            self._post(judge_study(study, results))

        self._on_thread(look, "judgement")

    def _take_judgement(self, judgement: Judgement) -> None:
        """Unless another study is looked at by now."""
        if judgement.study == self.study:
            self.judgement = judgement
        else:
            self._judged_for = "", None
