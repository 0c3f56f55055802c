"""What a run tells while it goes: tiny immutable messages for whoever listens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from manifests.event import Event
from manifests.manifest import Manifest
from manifests.plan import PlannedCell


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line for the person. Details may pass by; what is important has to stay; an aim is what is
    measured from now on, and why.

    ``done`` of ``of`` steps of the work it is about are behind; 0 of 0: nobody knows.
    """

    text: str
    level: Literal["detail", "plain", "important", "aim"] = "plain"
    done: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class RunStarted:
    """``todo`` will be run, ``kept`` have their manifests already."""

    todo: list[PlannedCell]
    kept: int


@dataclass(frozen=True, slots=True)
class CellStarted:
    """``again`` says why a cell is run that was started before, else empty."""

    planned: PlannedCell
    again: str


@dataclass(frozen=True, slots=True)
class CellEvent:
    """An event of the running cell."""

    planned: PlannedCell
    event: Event


@dataclass(frozen=True, slots=True)
class CellEnded:
    """Its manifest is on disk."""

    planned: PlannedCell
    manifest: Manifest


RunMessage = LogLine | RunStarted | CellStarted | CellEvent | CellEnded
Listener = Callable[[RunMessage], None]
