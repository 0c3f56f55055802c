"""What the person looks at: studies, the plan, a run's results. Read on threads, kept here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message
from textual.worker import get_current_worker

from manifests.errors import KitError
from manifests.run_folder import Run
from papers.published import PublishedError
from papers.study import study_ids
from tui.messages import (
    Compared,
    Judged,
    PlanFailed,
    PlanReady,
    ResultsFailed,
    ResultsReady,
    Surveyed,
    Told,
)  # fmt: skip

if TYPE_CHECKING:
    from orchestrator.running.request import Prepared, Request
    from services.selection import Wish
    from tui.app import Repliquant
    from tui.loaders import Planned, Results, State, StudyLine
    from tui.views.claims import Judgement
    from tui.views.speedups import Speedup


class Shelf:
    """Each ``..._problem`` says why what it belongs to isn't there; both empty: it is being read.

    Methods are for the screen's thread; what they read comes back as messages to the app.
    """

    def __init__(self, app: Repliquant, wish: Wish | None, study: str) -> None:
        self._app = app
        self._wish = wish
        self.study_names = study_ids()
        self.study = study or next(iter(self.study_names), "")
        self.surveyed: dict[str, StudyLine] = {}
        self.planned: Planned | None = None
        self.plan_problem = ""
        self.states: dict[str, State] = {}
        self.groups: dict[str, str] = {}
        self.marked: set[str] = set()
        self.results: Results | None = None
        self.results_problem = ""
        self._ended: dict[str, Path] = {}
        self._folder: Path | None = None
        self.published: list[Speedup] = []
        self.judgement: Judgement | None = None
        self._judged_for: tuple[str, Results | None] = ("", None)

    @property
    def wish(self) -> Wish:
        """What is planned: the study with the choices that were made."""
        if self._wish is None:
            from orchestrator.running.request import Request
            from services.selection import Wish

            self._wish = Wish(Request(self.study))
        return self._wish

    @property
    def request(self) -> Request:
        """The request of the wish, as it was made."""
        return self.wish.request

    @property
    def prepared(self) -> Prepared | None:
        """The plan, once it is there."""
        return self.planned.prepared if self.planned else None

    @property
    def speedups(self) -> list[Speedup]:
        """Those of the shown run and of the paper."""
        return self.results.speedups if self.results else self.published

    def survey(self) -> None:
        """Look at every study."""

        def look() -> None:
            from tui.loaders import survey

            for name in self.study_names:
                tier = self.request.tier if name == self.study else "quick"
                try:
                    self._post(Surveyed(survey(name, tier)))
                except Exception as error:  # a study that can't be read leaves the others
                    self._post(Told(f"{name}: {told(error)}", "error"))

        self._on_thread(look, "survey")

    def choose_study(self, name: str) -> None:
        """Plan another study, and show its latest run."""
        if name and name != self.study:
            request = self.request._replace(study=name, run_dir=None, expression="")
            self.plan(self.wish._replace(request=request, claim="", sample=False))
            self.show_run(None)

    def plan(self, wish: Wish) -> None:
        """Plan anew; the screens say so until it is there."""
        self._wish, self.study = wish, wish.request.study
        self.planned, self.plan_problem = None, ""
        self.marked = set()
        self._app.renew()
        self.plan_again()

    def plan_again(self) -> None:
        """The same plan, with what has been learnt meanwhile."""
        wish, request = self.wish, self.planned.request if self.planned else None

        def look() -> None:
            from tui.loaders import read_plan

            try:
                self._post(PlanReady(read_plan(wish, request)))
            except Exception as error:  # shown in the plan's place
                self._post(PlanFailed(told(error)))

        self._on_thread(look, "plan")

    def plan_claim(self, claim: str) -> None:
        """Plan what one claim needs, and go there. Where that is nothing, the plan stays."""
        wish = self.wish._replace(claim=claim, sample=False)

        def look() -> None:
            from tui.loaders import read_plan

            try:
                self._post(PlanReady(read_plan(wish), go=True))
            except Exception as error:  # said instead
                self._post(Told(told(error), "error"))

        self._on_thread(look, "plan")

    def take_plan(self, planned: Planned) -> None:
        """Take up a plan that has been made."""
        if planned.wish != self._wish:
            self.marked = set()
        self._wish, self.study = planned.wish, planned.wish.request.study
        self.planned, self.plan_problem = planned, ""
        self.states, self.groups = planned.states, planned.groups

    def show_run(self, folder: Path | None) -> None:
        """Show a run on screen 4; for None the study's that ended last here, else its latest."""
        self.results, self.results_problem = None, ""
        self._folder = folder or self._ended.get(self.study)
        self._app.renew()
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
            from tui.loaders import latest, read_results

            run = Run(folder) if folder else latest(study)
            if run is None or not run.plan_path.is_file():
                what = f"no run in {folder}" if folder else f"no run of {study}"
                text = f"{what} yet: s on screen 2 starts one"
                self._post(ResultsFailed(text, self._published()))
                return
            try:
                self._post(ResultsReady(read_results(run, study)))
            except Exception as error:  # shown in the results' place
                self._post(ResultsFailed(told(error), self._published()))

        self._on_thread(look, "results")

    def _published(self) -> list[Speedup]:
        """What the paper's own numbers say, for a study without a run."""
        from tui.loaders import published_speedups

        try:
            return published_speedups(self.study)
        except PublishedError:
            return []

    def need_judgement(self) -> None:
        """Judge the claims on the run that is shown, unless that has been done."""
        study, results = self.study, self.results
        if self.judgement is not None and self.judgement.study != study:
            self.judgement, self._judged_for = None, ("", None)
        if results is None and not self.results_problem:
            return  # it is being read, and whoever waits is told
        if self._judged_for[0] == study and self._judged_for[1] is results:
            return
        self._judged_for = study, results

        def look() -> None:
            from tui.views.claims import judge_study

            self._post(Judged(judge_study(study, results)))

        self._on_thread(look, "judgement")

    def take_judgement(self, judgement: Judgement) -> None:
        """Take one up, unless another study is looked at by now."""
        if judgement.study == self.study:
            self.judgement = judgement
        else:
            self._judged_for = "", None

    def compare(self, base: Path, new: Path) -> None:
        """Two runs cell by cell; the answer is a screen of its own."""

        def look() -> None:
            from tui.loaders import read_differences

            try:
                found = read_differences(Run(base), Run(new))
            except Exception as error:  # said instead of shown
                self._post(Told(told(error), "error"))
                return
            self._post(Compared((base.name, new.name), found))

        self._on_thread(look, "compare")

    def _post(self, message: Message) -> None:
        """From a thread: unless what it read is not wanted any more."""
        if not get_current_worker().is_cancelled:
            self._app.post_message(message)

    def _on_thread(self, look: Callable[[], None], group: str) -> None:
        self._app.run_worker(look, thread=True, exclusive=True, group=group, exit_on_error=False)


def told(error: Exception) -> str:
    """An expected error says it all; another one says what it is."""
    expected = isinstance(error, KitError | PublishedError)
    return str(error) if expected else f"{type(error).__name__}: {error}"
