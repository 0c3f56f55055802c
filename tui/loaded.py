"""What background work has come to: one message to the app, with the value in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

from textual.message import Message

if TYPE_CHECKING:
    from comparisons.decomposition import Explanation
    from comparisons.differences import Differences
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


class Remarks(NamedTuple):
    """Remarks that are a screen of their own."""

    about: str
    title: str
    remarks: Sequence[Remark]


class ComparedRuns(NamedTuple):
    """Two runs, base and new, cell by cell."""

    names: tuple[str, str]
    found: Differences


class Verdicts(NamedTuple):
    """What a run has come to; ``by_itself`` when it has just ended and nobody asked."""

    shown: Shown
    by_itself: bool


class Notice(NamedTuple):
    """A line for the person."""

    text: str
    severity: Literal["information", "error"] = "information"


if TYPE_CHECKING:
    Home = StudyLine | KnownRuns | StudyVerdicts | MachineWords | Business
    Kept = Home | Planned | NoPlan | ShownRun | NoRun | Judgement
    Value = Kept | Remarks | ComparedRuns | Verdicts | Notice


@dataclass
class Loaded(Message):
    """What has been read, made or checked, or why not."""

    value: Value
