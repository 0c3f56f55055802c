"""Reading a recorded series: whole, within limits, also when its writer was killed."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import msgspec

from manifests.codec import UnreadableError, read_bounded, schema_version
from manifests.msgspec_threads import looked_at
from manifests.telemetry_series import (
    BEFORE,
    TELEMETRY_NAME,
    TELEMETRY_VERSION,
    Opening,
    PhaseMark,
    Reasons,
    Sample,
    decode,
)


class Series(NamedTuple):
    """A recording. ``samples`` carry their reasons; ``warnings`` name what could not be used."""

    opening: Opening
    samples: List[Sample]
    phases: List[PhaseMark]
    warnings: List[str]

    @property
    def made_up(self) -> bool:
        """Whether no machine ever gave these numbers."""
        return bool(self.opening.made_up)

    @property
    def length_s(self) -> float:
        """Seconds from the beginning to the last sample."""
        return self.samples[-1].time_s if self.samples else 0.0

    @property
    def runner_began_s(self) -> Optional[float]:
        """When the runner's clock (``time_s`` of its events) stood at 0; None: nobody knows."""
        offsets = [mark.time_s - mark.runner_s for mark in self.phases if mark.runner_s is not None]
        return min(offsets) if offsets else None

    def between(self, begin_s: float, end_s: float) -> List[Sample]:
        """The samples from ``begin_s`` until before ``end_s``."""
        return self.samples[self.position(begin_s) : self.position(end_s)]

    def at(self, time_s: float) -> Optional[Sample]:
        """The latest sample at that time; None before the first."""
        position = self.position(time_s)
        if position < len(self.samples) and self.samples[position].time_s == time_s:
            return self.samples[position]
        return self.samples[position - 1] if position else None

    def position(self, time_s: float) -> int:
        """How many samples were taken before ``time_s``."""
        low, high = 0, len(self.samples)
        while low < high:
            middle = (low + high) // 2
            if self.samples[middle].time_s < time_s:
                low = middle + 1
            else:
                high = middle
        return low

    def phase_at(self, time_s: float) -> str:
        """The name of the phase at that time."""
        name = BEFORE
        for mark in self.phases:
            if mark.time_s > time_s:
                break
            name = mark.name
        return name


def read_series(path: Path) -> Series:
    """Read ``telemetry.jsonl``. Raises UnreadableError (named) or OSError.

    A line that can't be used is left out with a warning: a writer that was killed leaves half
    a line behind.
    """
    try:
        return decode_series(read_bounded(str(path)))
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from error


def decode_series(data: bytes) -> Series:
    """The series in these bytes. Raises UnreadableError without a file name."""
    lines = data.split(b"\n")
    series = Series(_opening(lines[0]), [], [], [])
    state = _State()
    for number, line in enumerate(lines[1:], 2):
        if line:
            _take(series, state, number, line)
    series.phases.sort(key=lambda mark: mark.time_s)  # they reach their writer a little late
    if state.unused:
        series.warnings.append(f"{state.unused} lines can't be used, the first: {state.first}")
    return series


class _State:
    """What holds from one line to the next."""

    def __init__(self) -> None:
        self.reasons: Dict[str, str] = {}
        self.time_s = float("-inf")
        self.unused = 0
        self.first = ""

    def refuse(self, number: int, why: str) -> None:
        self.unused += 1
        self.first = self.first or f"line {number} {why}"


class _Header(msgspec.Struct):
    schema: str


def _opening(line: bytes) -> Opening:
    try:
        schema = msgspec.json.decode(line, type=looked_at(_Header)).schema
        schema_version(schema, TELEMETRY_NAME, TELEMETRY_VERSION)
        opening = decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableError(f"is not a recorded series: {error}") from error
    if not isinstance(opening, Opening):
        raise UnreadableError("is not a recorded series: it doesn't begin with an opening")
    return opening


def _take(series: Series, state: _State, number: int, data: bytes) -> None:
    try:
        line = decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        state.refuse(number, f"is no line of a series: {error}")
        return
    if isinstance(line, Opening):
        state.refuse(number, "is a second opening")
    elif isinstance(line, Reasons):
        state.reasons = line.reasons
    elif isinstance(line, PhaseMark):
        series.phases.append(line)
    elif line.time_s < state.time_s:
        state.refuse(number, "goes back in time")
    else:
        state.time_s = line.time_s
        series.samples.append(msgspec.structs.replace(line, reasons=state.reasons))
