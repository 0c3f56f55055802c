"""What the person looks at: studies, the plan, a run's results. Read on threads, kept here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.store import Run
from orchestrator.errors import KitError
from orchestrator.study import study_ids
from tables.published import PublishedError
from tui.app.messages import (
    Compared,
    PlanFailed,
    PlanReady,
    ResultsFailed,
    ResultsReady,
    Surveyed,
    Told,
)  # fmt: skip

if TYPE_CHECKING:
    from orchestrator.sessions import Prepared, Request
    from tui.app.app import Repliquant
    from tui.app.ladders import Speedup
    from tui.app.reading import Results, State, StudyLine


class Shelf:
    """Each ``..._problem`` says why what it belongs to isn't there; both empty: it is being read.

    Methods are for the screen's thread; what they read comes back as messages to the app.
    """

    def __init__(self, app: Repliquant, request: Request | None, study: str) -> None:
        self._app = app
        self._asked = request
        self.study_names = study_ids()
        self.study = study or next(iter(self.study_names), "")
        self.surveyed: dict[str, StudyLine] = {}
        self.prepared: Prepared | None = None
        self.plan_problem = ""
        self.states: dict[str, State] = {}
        self.groups: dict[str, str] = {}
        self.marked: set[str] = set()
        self.results: Results | None = None
        self.results_problem = ""
        self.published: list[Speedup] = []

    @property
    def request(self) -> Request:
        """What is planned: the study with the choices that were made."""
        if self._asked is None:
            from orchestrator.sessions import Request

            self._asked = Request(self.study)
        return self._asked

    @property
    def speedups(self) -> list[Speedup]:
        """Those of the shown run and of the paper."""
        return self.results.speedups if self.results else self.published

    def survey(self) -> None:
        """Look at every study."""

        def look() -> None:
            from tui.app.reading import survey

            for name in self.study_names:
                tier = self.request.tier if name == self.study else "quick"
                try:
                    self._app.post_message(Surveyed(survey(name, tier)))
                except Exception as error:  # a study that can't be read leaves the others
                    self._app.post_message(Told(f"{name}: {told(error)}", "error"))

        self._on_thread(look, "survey")

    def choose_study(self, name: str) -> None:
        """Plan another study, and show its latest run."""
        if name and name != self.study:
            self.plan(self.request._replace(study=name, run_dir=None, expression=""))
            self.show_run(None)

    def plan(self, request: Request) -> None:
        """Plan anew; the screens say so until it is there."""
        self._asked, self.study = request, request.study
        self.prepared, self.plan_problem = None, ""
        self.marked = set()
        self._app.renew()
        self.plan_again()

    def plan_again(self) -> None:
        """The same plan, with what has been learnt meanwhile."""

        def look() -> None:
            from tui.app.reading import read_plan

            try:
                self._app.post_message(PlanReady(*read_plan(self.request)))
            except Exception as error:  # shown in the plan's place
                self._app.post_message(PlanFailed(told(error)))

        self._on_thread(look, "plan")

    def show_run(self, folder: Path | None) -> None:
        """Show a run on screen 4; the study's latest one for None."""
        self.results, self.results_problem = None, ""
        self._app.renew()
        self._read(folder)

    def read_results(self) -> None:
        """Read the run that is shown again."""
        self._read(self.results.run.folder if self.results else None)

    def _read(self, folder: Path | None) -> None:
        def look() -> None:
            from tui.app.reading import latest, read_results

            run = Run(folder) if folder else latest(self.study)
            if run is None:
                text = f"no run of {self.study} yet: s on screen 2 starts one"
                self._app.post_message(ResultsFailed(text, self._published()))
                return
            try:
                self._app.post_message(ResultsReady(read_results(run)))
            except Exception as error:  # shown in the results' place
                self._app.post_message(ResultsFailed(told(error), self._published()))

        self._on_thread(look, "results")

    def _published(self) -> list[Speedup]:
        """What the paper's own numbers say, for a study without a run."""
        from tui.app.reading import published_speedups

        try:
            return published_speedups(self.study)
        except PublishedError:
            return []

    def compare(self, base: Path, new: Path) -> None:
        """Two runs cell by cell; the answer is a screen of its own."""

        def look() -> None:
            from tui.app.reading import read_differences

            try:
                found = read_differences(Run(base), Run(new))
            except Exception as error:  # said instead of shown
                self._app.post_message(Told(told(error), "error"))
                return
            self._app.post_message(Compared((base.name, new.name), found))

        self._on_thread(look, "compare")

    def _on_thread(self, look: Callable[[], None], group: str) -> None:
        self._app.run_worker(look, thread=True, exclusive=True, group=group, exit_on_error=False)


def told(error: Exception) -> str:
    """An expected error says it all; another one says what it is."""
    return str(error) if isinstance(error, KitError) else f"{type(error).__name__}: {error}"
