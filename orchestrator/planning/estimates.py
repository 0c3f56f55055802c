"""How long a cell will take: from earlier runs on this machine, else from the study."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests.cell import Cell
from manifests.msgspec_threads import looked_at
from orchestrator.planning.quadruples import point_of

_KEPT_LINES = 20_000
_SLOWEST, _FASTEST = 20.0, 0.05


class Estimate(NamedTuple):
    """Seconds, and where they come from."""

    seconds: float
    source: str


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """One finished cell; ``guess_s`` is what the study had said."""

    id: str
    wall_s: float
    guess_s: float


class Estimates:
    """The wall times of finished cells, one JSON line each, in the user's cache."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._past: dict[str, list[float]] = {}
        ratios = []
        for past in _read(path):
            self._past.setdefault(past.id, []).append(past.wall_s)
            if past.guess_s > 0:
                ratios.append(past.wall_s / past.guess_s)
        middle = statistics.median(ratios) if ratios else 1.0
        self._speed = min(max(middle, _FASTEST), _SLOWEST)
        self._seen = len(ratios)

    def of(self, cell: Cell, guess_s: float) -> Estimate:
        """The median of this very cell's past, or of the point that it repeats; else the study's
        guess at this machine's pace.
        """
        walls = self._past.get(cell.id) or self._past.get(point_of(cell))
        if walls:
            return Estimate(statistics.median(walls), "earlier runs of the same cell here")
        if self._seen:
            return Estimate(guess_s * self._speed, "the study, at this machine's pace")
        return Estimate(guess_s, "the study")

    def learn(self, cell: Cell, wall_s: float, guess_s: float) -> None:
        """Remember a finished cell. A full disk costs the memory, not the run."""
        line = msgspec.json.encode(Past(id=cell.id, wall_s=round(wall_s, 2), guess_s=guess_s))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "ab") as file:
                file.write(line + b"\n")
        except OSError:
            return


def _read(path: Path) -> list[Past]:
    try:
        lines = path.read_bytes().splitlines()[-_KEPT_LINES:]
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=looked_at(Past)))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            continue  # a line cut off by a crash
    return found
