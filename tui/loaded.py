"""What background work has come to: one message to the app, with the value in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

if TYPE_CHECKING:
    from comparisons.decomposition import Explanation
    from comparisons.differences import Differences
    from manifests.run_folder import Run
    from services.machine_state import Fact
    from services.more_processes import MoreProcesses
    from services.this_machine import Business, MachineWords
    from services.verdict_screen import Shown
    from tui.loaders import Judgement, Planned, RunLine, ShownRun, StudyLine, StudyVerdicts


class NoPlan(NamedTuple):
    """Why there is no plan."""

    why: str


class NoRun(NamedTuple):
    """Why a run can't be shown; the paper's own speedups are there all the same."""

    why: str
    speedups: list[Explanation]


class KnownRuns(NamedTuple):
    """All runs that can be read, the latest first."""

    runs: Sequence[RunLine]


class Remark(NamedTuple):
    """``state`` is ok, note, or another word for what is not right; ``more`` is what to do."""

    state: str
    what: str
    found: str
    more: str = ""


class Examined(NamedTuple):
    """How the machine is set, and what it can run; ``findings`` is None while that is looked at."""

    state: Sequence[Fact]
    findings: Sequence[Remark] | None


class Remarks(NamedTuple):
    """Remarks that are a screen of their own."""

    about: str
    title: str
    remarks: Sequence[Remark]


MOST_COMPARED = 4
"""So many runs fit beside each other."""


class ComparedRuns(NamedTuple):
    """Runs cell by cell: each but the first one against the first."""

    runs: Sequence[Run]
    found: Sequence[Differences]


class Curve(NamedTuple):
    """One quantity of one attempt at a cell: ``steps`` from 1 on, and its value at each."""

    run: Run
    cell: str
    steps: Sequence[float]
    values: Sequence[float]


class Curves(NamedTuple):
    """By quantity, with its unit; ``across`` is what the steps of each count."""

    title: str
    found: dict[str, list[Curve]]
    across: dict[str, str]


class Probed(NamedTuple):
    """A run with probes, whose support matrix was asked for."""

    shown: ShownRun


class Verdicts(NamedTuple):
    """What a run has come to; ``by_itself`` when it has just ended and nobody asked."""

    shown: Shown
    by_itself: bool


class Placed(NamedTuple):
    """Where a cell runs, in words."""

    cell: str
    words: str


class Notice(NamedTuple):
    """A line for the person."""

    text: str
    severity: Literal["information", "error"] = "information"


if TYPE_CHECKING:
    Home = StudyLine | KnownRuns | StudyVerdicts | MachineWords | Business | Examined
    Kept = Home | Planned | NoPlan | ShownRun | NoRun | Judgement | Placed
    Value = Kept | Remarks | ComparedRuns | Curves | Probed | Verdicts | MoreProcesses | Notice


@dataclass
class Loaded(Message):
    """What has been read, made or checked, or why not."""

    value: Value
