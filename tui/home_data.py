"""What the first screen shows: studies, runs, verdicts, the machine. Read on threads, kept here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from papers.study import study_ids
from services.this_machine import Business, MachineWords, look_at_machine, look_who_is_busy
from tui.loaded import Examined, KnownRuns, Notice
from tui.reading import Reader
from tui.text import error_text

if TYPE_CHECKING:
    from textual.app import App

    from comparisons.render.verdict_rows import VerdictRow
    from services.machine_state import Fact
    from tui.loaded import Home, Remark
    from tui.loaders import NamedClaim, RunLine, StudyLine


class HomeData(Reader):
    """What is None is still being read. Methods are for the screen's thread."""

    def __init__(self, app: App[str]) -> None:
        super().__init__(app)
        self.study_names = study_ids()
        self.surveyed: dict[str, StudyLine] = {}
        self.verdicts: dict[str, Mapping[str, int]] = {}
        self.verdict_rows: dict[str, Sequence[VerdictRow]] = {}
        self.claims: dict[str, Sequence[NamedClaim]] = {}
        self.runs: Sequence[RunLine] | None = None
        self.machine: MachineWords | None = None
        self.business: Business | None = None
        self.state: Sequence[Fact] | None = None
        self.findings: Sequence[Remark] | None = None

    def survey(self, study: str, tier: str) -> None:
        """Look at every run and study; ``tier`` is that of one study, others show quick."""

        def look() -> None:
            from tui.loaders import run_lines, study_line, study_verdicts

            runs = run_lines()
            self._post(KnownRuns(runs))
            for name in self.study_names:
                own = [line for line in runs if line.plan.study == name]
                try:
                    self._post(study_line(name, tier if name == study else "quick", own))
                except Exception as error:  # a study that can't be read leaves the others
                    self._post(Notice(f"{name}: {error_text(error)}", "error"))
            for name in self.study_names:
                own = [line for line in runs if line.plan.study == name]
                self._post(study_verdicts(name, own))

        self._on_thread(look, "survey")

    def look_at_machine(self) -> None:
        """What it has, then who is busy on it."""

        def look() -> None:
            self._post(look_at_machine())
            self._post(look_who_is_busy())

        self._on_thread(look, "machine")

    def examine(self) -> None:
        """How the machine is set, then everything that ``repliquant doctor`` looks at."""
        self.findings = None

        def look() -> None:
            from services.doctor import examine
            from services.machine_state import machine_state
            from tui.loaded import Remark

            self._post(Examined(machine_state(), None))
            try:
                found = [Remark(*diagnosis) for diagnosis in examine()]
            except Exception as error:  # said among the findings
                found = [Remark("problem", "doctor", error_text(error))]
            found.sort(key=lambda remark: remark.state in ("ok", "note"))  # what to do comes first
            self._post(Examined(machine_state(), found))

        self._on_thread(look, "doctor")

    def look_again_who_is_busy(self) -> None:
        """Costs a few milliseconds of a processor."""
        self._on_thread(lambda: self._post(look_who_is_busy()), "business")

    def take(self, value: Home) -> None:
        """Take up what has been read."""
        from tui.loaders import StudyVerdicts

        if isinstance(value, KnownRuns):
            self.runs = value.runs
        elif isinstance(value, StudyVerdicts):
            self.verdicts[value.study] = value.states
            self.verdict_rows[value.study] = value.rows
            self.claims[value.study] = value.claims
        elif isinstance(value, MachineWords):
            self.machine = value
        elif isinstance(value, Business):
            self.business = value
        elif isinstance(value, Examined):
            self.state, self.findings = value
        else:
            self.surveyed[value.study.id] = value
