"""Quality against latency as a picture of characters: a letter for each way, the front a stair."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rich.text import Text

from comparisons.pareto import QUALITIES, Network, Place, Way
from comparisons.render.values import number
from tui.text import fitted

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_AXIS = 9
"""Columns of the numbers at the left."""
_STAIR, _RISER, _CORNER = "─", "│", "╯"


class _Scale(NamedTuple):
    """From a number to one of ``room`` places."""

    low: float
    high: float
    room: int

    def at(self, value: float) -> int:
        if self.high <= self.low:
            return 0
        return round((value - self.low) / (self.high - self.low) * (self.room - 1))


class _Grid:
    """``height`` lines of characters with tones; what is put last is seen."""

    def __init__(self, width: int, height: int) -> None:
        self.lines = [[(" ", "")] * width for _ in range(height)]

    def put(self, column: int, line: int, sign: str, tone: str) -> None:
        self.lines[len(self.lines) - 1 - line][column] = (sign, tone)


def letter(index: int) -> str:
    """Of the way in that row; none for the rows after the alphabet's last."""
    return _LETTERS[index] if index < len(_LETTERS) else "·"


def scatter(
    network: Network, chosen: int, width: int, height: int, paint: Callable[[str], str]
) -> list[Text]:
    """``height`` lines and the latency's axis; ``chosen`` is the row that stands out."""
    placed = [(n, way, way.numbers) for n, way in enumerate(network.ways) if way.numbers]
    places = [place for _, _, place in placed]
    if not places:
        return []
    room = max(8, width - _AXIS - 1)
    across = _scale([math.log(place.latency_ms) for place in places], room)
    up = _scale([place.quality for place in places], height)
    grid = _Grid(room, height)
    _stair(grid, [way for _, way, _ in placed if way.front], across, up)
    for index, way, place in reversed(placed):
        if index != chosen:
            tone = f"bold {paint('primary')}" if way.front else "dim" if way.reason else ""
            _put(grid, place, letter(index), tone, across, up)
    for index, _, place in placed:
        if index == chosen:
            _put(grid, place, letter(index), "reverse", across, up)
    unit = QUALITIES[network.by].unit
    return [*_with_axis(grid, up, unit), _latencies(places, room)]


def _scale(values: Sequence[float], room: int) -> _Scale:
    return _Scale(min(values), max(values), room)


def _put(grid: _Grid, place: Place, sign: str, tone: str, across: _Scale, up: _Scale) -> None:
    grid.put(across.at(math.log(place.latency_ms)), up.at(place.quality), sign, tone)


def _stair(grid: _Grid, front: Sequence[Way], across: _Scale, up: _Scale) -> None:
    """Along the best that so much time gives."""
    corners = [
        (across.at(math.log(way.place.latency_ms)), up.at(way.place.quality))
        for way in front
        if way.place is not None
    ]
    for (left, low), (right, high) in itertools.pairwise(corners):
        for column in range(left, right):
            grid.put(column, low, _STAIR, "dim")
        for line in range(low, high):
            grid.put(right, line, _CORNER if line == low else _RISER, "dim")


def _with_axis(grid: _Grid, up: _Scale, unit: str) -> list[Text]:
    found = []
    for place, signs in enumerate(grid.lines):
        top, bottom = place == 0, place == len(grid.lines) - 1
        value = up.low if bottom else up.high if top else None
        told = value is not None and (bottom or up.low < up.high)
        label = f"{number(value)} {unit}" if told else ""
        line = Text(fitted(label, _AXIS, right=True), "dim", no_wrap=True).append(" ")
        for sign, tone in signs:
            line.append(sign, tone or "not dim")
        found.append(line)
    return found


def _latencies(places: Sequence[Place], room: int) -> Text:
    low, high = (end(place.latency_ms for place in places) for end in (min, max))
    right = f"{number(high)} ms" if high > low else ""
    left = f"{number(low)} ms"
    gap = " " * max(1, room - len(left) - len(right))
    return Text(f"{' ' * (_AXIS + 1)}{left}{gap}{right}", "dim", no_wrap=True)
