"""What background work tells the screens: small messages, told to the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from comparisons.differences import Differences
    from tui.loaders import Planned, Results, StudyLine
    from tui.screens.findings import Finding
    from tui.views.claims import Judgement
    from tui.views.speedups import Speedup


@dataclass
class Surveyed(Message):
    """What there is to know of one study."""

    line: StudyLine


@dataclass
class PlanReady(Message):
    """A plan. ``go`` when the person is to see it now."""

    planned: Planned
    go: bool = False


@dataclass
class PlanFailed(Message):
    """Why there is no plan."""

    why: str


@dataclass
class ResultsReady(Message):
    """A run has been read."""

    results: Results


@dataclass
class ResultsFailed(Message):
    """Why a run can't be shown; the paper's own speedups are there all the same."""

    why: str
    speedups: list[Speedup]


@dataclass
class Judged(Message):
    """Claims and audit of a study are there."""

    judgement: Judgement


@dataclass
class Listed(Message):
    """Findings that are a screen of their own."""

    about: str
    title: str
    findings: list[Finding]


@dataclass
class Compared(Message):
    """Two runs, base and new, have been compared."""

    names: tuple[str, str]
    found: Differences


@dataclass
class Told(Message):
    """A line for the person. ``severity`` is Textual's own word for it."""

    text: str
    severity: str = "information"
