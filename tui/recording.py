"""A finished run as messages and samples in the order in which they came."""

from __future__ import annotations

import bisect
import datetime
import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from manifests import event
from manifests.codec import UnreadableError, read_bounded
from manifests.errors import InputError
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from manifests.run_folder import Run
from manifests.series_reader import Series, read_series
from orchestrator.messages import CellEnded, CellEvent, CellStarted, LogLine, RunMessage, RunStarted
from services.runs import plan_of
from tui.loaders import log_files

LONGEST_PAUSE_S = 60.0
_SHORTENED_TO_S = 2.0
_MOST_EVENTS = 20_000
_MOST_LOG_LINES = 5_000
_UTC = re.compile("[zZ]$")


class Moment(NamedTuple):
    """A message and its time in seconds since the run began."""

    at_s: float
    message: RunMessage


class Played(NamedTuple):
    """When a cell ran, in seconds since the run began."""

    manifest: Manifest
    planned: PlannedCell
    begin_s: float
    end_s: float


class Recording(NamedTuple):
    """A whole run. Logs and telemetry are read when a cell is shown."""

    run: Run
    plan: Plan
    moments: list[Moment]
    cells: dict[str, Played]
    length_s: float

    def at(self, time_s: float) -> int:
        """How many moments were over at that time."""
        return bisect.bisect_right(self.moments, time_s, key=lambda moment: moment.at_s)


def read_recording(run: Run) -> Recording:
    """Raises InputError when there is nothing to play."""
    plan = plan_of(run)
    loaded = run.load()
    order = {planned.id: (index, planned) for index, planned in enumerate(plan.cells)}
    manifests = [m for m in loaded.manifests if m.id in order]
    if not manifests:
        raise InputError(f"run {run.id} has no finished cell: there is nothing to play")
    manifests.sort(key=lambda m: (_begun(m), order[m.id][0]))
    played, notes = _timeline([(m, order[m.id][1]) for m in manifests])
    moments = [Moment(0.0, RunStarted([p.planned for p in played], 0)), *notes]
    for item in played:
        moments += _moments(run, item)
    moments.sort(key=lambda moment: moment.at_s)
    length_s = max(item.end_s for item in played)
    return Recording(run, plan, moments, {p.planned.id: p for p in played}, length_s)


def _timeline(ran: list[tuple[Manifest, PlannedCell]]) -> tuple[list[Played], list[Moment]]:
    """Begins and ends; long pauses between cells are shortened, and it is said where.

    Beginnings are written to the second, so a cell that seems to begin in the last second of
    the one before it began after that.
    """
    played: list[Played] = []
    notes: list[Moment] = []
    first = _begun(ran[0][0])
    cut_s = end_s = 0.0
    for manifest, planned in ran:
        begin_s = _begun(manifest) - first - cut_s
        pause_s = begin_s - end_s
        if pause_s > LONGEST_PAUSE_S:
            cut_s += pause_s - _SHORTENED_TO_S
            begin_s = end_s + _SHORTENED_TO_S
            notes.append(Moment(end_s, LogLine(f"a pause of {pause_s:,.0f} s is passed over")))
        elif -1.5 < pause_s < 0:
            begin_s = end_s
        played.append(Played(manifest, planned, begin_s, begin_s + manifest.wall_s))
        end_s = max(end_s, played[-1].end_s)
    return played, notes


def _begun(manifest: Manifest) -> float:
    """Seconds since the epoch; 0 where the manifest doesn't say it."""
    try:
        text = _UTC.sub("+00:00", manifest.started_at)
        return datetime.datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _moments(run: Run, item: Played) -> Iterator[Moment]:
    again = item.manifest.context.why_again if item.manifest.context else ""
    yield Moment(item.begin_s, CellStarted(item.planned, again))
    for happened in read_events(run, item.planned.id):
        at_s = min(item.end_s, item.begin_s + max(0.0, happened.time_s))
        yield Moment(at_s, CellEvent(item.planned, happened))
    yield Moment(item.end_s, CellEnded(item.planned, item.manifest))


def read_events(run: Run, cell: str) -> Iterator[event.Event]:
    """What can be read of the events; a missing file has none."""
    try:
        data = read_bounded(str(run.cell_folder(cell) / "events.jsonl"))
    except (OSError, UnreadableError):
        return
    for line in data.split(b"\n")[:_MOST_EVENTS]:
        try:
            yield event.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue


def read_log(run: Run, cell: str) -> list[str]:
    """What a cell printed; of much, the end."""
    lines: list[str] = []
    for path in log_files(run, cell):
        try:
            data = read_bounded(str(path))
        except (OSError, UnreadableError):
            continue
        lines += data.decode(errors="replace").splitlines()
    return lines[-_MOST_LOG_LINES:]


def read_telemetry(run: Run, cell: str) -> Series | None:
    """The recorded series of a cell, or None."""
    try:
        return read_series(run.cell_folder(cell) / "telemetry.jsonl")
    except (OSError, UnreadableError):
        return None
