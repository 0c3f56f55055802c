"""What is read because somebody asked for it; each answer is a screen of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from manifests.run_folder import Run
from tui.home_data import HomeData
from tui.loaded import ComparedRuns, Notice, Probed, Verdicts
from tui.reading import Reader
from tui.text import error_text

if TYPE_CHECKING:
    from comparisons.differences import Differences
    from services.until_decided import Ending
    from tui.loaders import RunLine


class Answers(Reader):
    """``home`` knows the runs, ``study`` is the one that is looked at. Methods are for the screen's
    thread.
    """

    home: HomeData
    study: str

    def judge_run(self, run: Run, ending: Ending | None = None, by_itself: bool = False) -> None:
        """What a run has come to; the answer is a screen of its own."""

        def look() -> None:
            from tui.loaders import read_verdicts

            try:
                found = read_verdicts(run, ending)
            except Exception as error:  # said instead of shown
                self._post(Notice(f"no verdicts: {error_text(error)}", "error"))
                return
            self._post(Verdicts(found, by_itself))

        self._on_thread(look, "verdicts")

    def compare(self, folders: Sequence[Path]) -> None:
        """Runs cell by cell, the first against each other; the answer is a screen of its own."""
        runs = [Run(folder) for folder in folders]

        def look() -> None:
            try:
                found = _differences(runs)
            except Exception as error:  # said instead of shown
                self._post(Notice(error_text(error), "error"))
                return
            self._post(ComparedRuns(runs, found))

        self._on_thread(look, "compare")

    def read_curves(self, runs: Sequence[Run], cells: Sequence[str], title: str) -> None:
        """Of these cells in these runs; the answer is a screen of its own."""

        def look() -> None:
            from tui.curve_data import read_curves

            self._post(read_curves(runs, cells, title))

        self._on_thread(look, "curves")

    def read_probes(self) -> bool:
        """The support matrix of the latest run that has one, whatever its study; whether there is
        one. The answer is a screen of its own.
        """
        probed = (line for line in self.home.runs or () if _has_probes(line))
        line = next(probed, None)
        if line is None:
            return False
        run, study = line.run, line.plan.study

        def look() -> None:
            from tui.loaders import read_shown_run

            try:
                self._post(Probed(read_shown_run(run, study)))
            except Exception as error:  # said instead of shown
                self._post(Notice(error_text(error), "error"))

        self._on_thread(look, "probes")
        return True

    def runs_with(self, first: Run) -> list[Run]:
        """This run, and the others of the shown study, the latest first."""
        known = [line.run for line in self.home.runs or () if line.plan.study == self.study]
        here = first.folder.resolve()
        return [first, *(run for run in known if run.folder.resolve() != here)]


def _differences(runs: Sequence[Run]) -> list[Differences]:
    """Each run but the first one against the first, cell by cell. Raises InputError."""
    from comparisons.differences import compare_runs, make_side
    from services.results import read_results

    first, *others = (
        make_side([(run.id, read_results(run).manifests)], folders=[run.cell_folder])
        for run in runs
    )
    return [compare_runs(first, other) for other in others]


def _has_probes(line: RunLine) -> bool:
    return line.counts.get("ok", 0) > 0 and any(one.cell.task == "probe" for one in line.plan.cells)
