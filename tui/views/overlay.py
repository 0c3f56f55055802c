"""Curves laid over one another in braille: a letter for each, the chosen one on top."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from comparisons.render.values import number
from tui.charts import DOTS
from tui.text import fitted

if TYPE_CHECKING:
    from tui.loaded import Curve

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TONES = ("primary", "success", "warning", "error", "secondary", "accent")
_AXIS = 9
"""Columns of the numbers at the left."""


def letter(index: int) -> str:
    """Of the curve in that row."""
    return _LETTERS[index] if index < len(_LETTERS) else "·"


def tone(index: int) -> str:
    """The theme's colour of the curve in that row; its letter says the same."""
    return _TONES[index % len(_TONES)]


def overlay(
    curves: Sequence[Curve], chosen: int, width: int, height: int, paint: Callable[[str], str]
) -> list[Text]:
    """``height`` lines and the axis of steps. Each curve ends with its letter; the ``chosen`` one
    is drawn last.
    """
    if not curves or height < 1:
        return []
    values = [value for curve in curves for value in curve.values]
    low, high = min(values), max(values)
    most = max(curve.steps[-1] for curve in curves)
    grid = _Grid(max(8, width - _AXIS - 3), height, most, low, high)
    styles = [paint(tone(index)) for index in range(len(curves))]
    order = sorted(range(len(curves)), key=lambda index: index == chosen)
    for index in order:
        grid.draw(curves[index], f"bold {styles[index]}" if index == chosen else styles[index])
    for index in reversed(order):
        grid.sign(curves[index], letter(index), styles[index])
    return [*grid.lines(low, high), _steps(most, grid.width)]


class _Grid:
    """Braille signs with a style each, and a column of letters more than the curves have."""

    def __init__(self, width: int, height: int, most: float, low: float, high: float) -> None:
        self.width, self._height = width, height
        self._most, self._low = max(most, 2.0), low
        self._span = high - low if high > low else 1.0
        self._dots = [[0] * width for _ in range(height)]
        self._styles = [[""] * width for _ in range(height)]
        self._letters: dict[tuple[int, int], tuple[str, str]] = {}

    def draw(self, curve: Curve, style: str) -> None:
        """From each point to the next."""
        places = [self._at(*point) for point in zip(curve.steps, curve.values, strict=True)]
        for (x, y), (right, level) in zip(places, places[1:] or places, strict=False):
            for at in range(x, right + 1):
                share = (at - x) / (right - x) if right > x else 1.0
                self._dot(at, round(y + (level - y) * share), style)
            if right == x:
                for between in range(min(y, level), max(y, level) + 1):
                    self._dot(x, between, style)

    def sign(self, curve: Curve, sign: str, style: str) -> None:
        """Behind its last point, in its row or the nearest one where that place is free."""
        x, y = self._at(curve.steps[-1], curve.values[-1])
        row, column = self._row(y), min(self.width, x // 2 + 1)
        for by in sorted(range(-row, self._height - row), key=abs):
            if (row + by, column) not in self._letters:
                self._letters[row + by, column] = sign, f"bold not dim {style}"
                return

    def lines(self, low: float, high: float) -> list[Text]:
        found = []
        for row in range(self._height):
            told = {0: high, self._height - 1: low}.get(row)
            label = number(told) if told is not None else ""
            line = Text(fitted(label, _AXIS, right=True), "dim", no_wrap=True).append(" ")
            for column in range(self.width + 2):
                line.append(*self._at_place(row, column))
            found.append(line)
        return found

    def _at_place(self, row: int, column: int) -> tuple[str, str]:
        if (row, column) in self._letters:
            return self._letters[row, column]
        if column >= self.width or not self._dots[row][column]:
            return " ", ""
        return chr(0x2800 + self._dots[row][column]), f"not dim {self._styles[row][column]}"

    def _at(self, step: float, value: float) -> tuple[int, int]:
        x = round((step - 1) / (self._most - 1) * (2 * self.width - 1))
        y = round((value - self._low) / self._span * (4 * self._height - 1))
        return min(max(x, 0), 2 * self.width - 1), min(max(y, 0), 4 * self._height - 1)

    def _row(self, y: int) -> int:
        return self._height - 1 - y // 4

    def _dot(self, x: int, y: int, style: str) -> None:
        row, column = self._row(y), x // 2
        self._dots[row][column] |= DOTS[x % 2][3 - y % 4]
        self._styles[row][column] = style


def _steps(most: float, width: int) -> Text:
    right = f"{most:,.0f}"
    gap = " " * max(1, width - 1 - len(right))
    return Text(f"{' ' * (_AXIS + 1)}1{gap}{right}", "dim", no_wrap=True)
