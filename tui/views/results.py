"""The three ways to look at a table of the paper: its numbers, their ratios, and bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from comparisons.comparison import Comparison, Line
from comparisons.render import values
from comparisons.statistics import median, readings
from manifests.flags import flags_of, impossible_in
from manifests.manifest import Manifest, Metric
from manifests.metrics import COMPARED, METRICS
from manifests.plan import Plan, PlannedCell
from manifests.units import shown_in
from services.over_baseline import OverBaseline, over_baseline
from services.phrases import duration
from tui.charts import bar
from tui.states import state
from tui.text import MARK
from tui.titles import Titles
from tui.widgets.rows import Cell, Column, Field, Parts, Row, Table

VIEWS = ("table", "ratio", "chart")
WIDE = 120
"""From so many columns on, the table of numbers has bars in it."""

_BAR = 28
_BULLET, _BESIDE_BULLET = 34, 110
_SPAN = 2.0
"""Ratios are drawn from 1/4 to 4, the logarithm to base 2 from -2 to 2."""
_HALF = 12
_SCALE = "¼".ljust(_HALF) + "1" + "4".rjust(_HALF)


def table_of(comparison: Comparison, view: str, width: int = 0, plan: Plan | None = None) -> Table:
    """The comparison's lines as rows; ``line_of`` tells which row is which line.

    ``width`` is that of the screen: a wide one has bars in the table of numbers too.
    """
    if not comparison.lines:
        return _issues(comparison)
    if view == "table":
        return _numbers(comparison, width, plan)
    return _ratios(comparison) if view == "ratio" else _chart(comparison)


def line_of(comparison: Comparison, view: str, row: int) -> Line | None:
    """The line that a row shows, or None for a table without numbers."""
    index = row // 2 if view == "chart" else row
    return comparison.lines[index] if index < len(comparison.lines) else None


def _numbers(comparison: Comparison, width: int, plan: Plan | None) -> Table:
    """Where the paper prints no number of a table, what is measured is held to its baseline."""
    lines = comparison.lines
    heads: list[Column] = _keys(comparison)
    parts: list[Callable[[int], Cell]] = [_of(_key(name), lines) for name in _key_names(comparison)]
    if len({line.quantity for line in lines}) > 1:
        heads.append(Column("quantity", most=24))
        parts.append(lambda index: lines[index].quantity)
    printed = any(line.published is not None or line.printed for line in lines)
    over = over_baseline(comparison, plan) if plan is not None and not printed else {}
    if printed or not over:
        heads += [Column("published", True, most=16), Column("measured", True, most=26)]
        heads += [Column("ratio", True)]
        parts += [_of(told, lines) for told in (values.published, _measured, values.ratio)]
    else:
        heads += [Column("measured", True, most=26), Column(_over_name(over), True, most=16)]
        parts += [_of(_measured, lines), lambda index: _over(over.get(index))]
    if width >= WIDE:
        scale, room = _largest(lines), max(_BULLET, min(3 * _BULLET, width - _BESIDE_BULLET))
        heads.append(Column("█ measured ▒ interval ┃ published", most=room))
        parts.append(lambda index: _bullet(lines[index], scale, room))
    heads += [Column("n", True), Column("flags", grow=True)]
    parts += [lambda index: str(lines[index].n), _of(_flags, lines)]
    return Table(heads, len(lines), lambda index: [part(index) for part in parts])


def _of(told: Callable[[Line], Cell], lines: Sequence[Line]) -> Callable[[int], Cell]:
    return lambda index: told(lines[index])


def _over_name(over: Mapping[int, OverBaseline]) -> str:
    names = {one.technique for one in over.values()}
    return f"/ {names.pop()}" if len(names) == 1 else "/ baseline"


def _over(one: OverBaseline | None) -> Field | str:
    return f"{one.ratio:#.3g}" if one is not None else Field(values.NONE, "dim")


def _largest(lines: Sequence[Line]) -> dict[str, float]:
    """The largest value of each unit, which bars are drawn to."""
    largest: dict[str, float] = {}
    for line in lines:
        found = [abs(v) for v in (line.published, line.measured, line.high) if v is not None]
        largest[line.unit] = max([largest.get(line.unit, 0.0), *found])
    return largest


def _bullet(line: Line, scale: Mapping[str, float], width: int) -> Parts:
    """The measured value as a bar with its interval, the published one as a mark on it."""
    whole = scale.get(line.unit) or 1.0

    def at(value: float | None) -> int:
        return round(min(1.0, abs(value or 0.0) / whole) * (width - 1))

    ends = (line.low, line.high) if line.low is not None else (line.measured, line.measured)
    sure, until = at(ends[0]), at(ends[1])
    mark = at(line.published) if line.published is not None else -1
    signs = []
    for column in range(width):
        if column == mark:
            signs.append(Field("┃", "warn"))
        elif line.measured is not None and column <= until:
            signs.append(Field("█" if column <= sure else "▒", "accent"))
        else:
            signs.append(Field(" "))
    return Parts(_merged(signs), values.measured(line), line.measured)


def _merged(signs: Sequence[Field]) -> tuple[Field, ...]:
    """Neighbours of one tone in one field."""
    found: list[Field] = []
    for sign in signs:
        if found and found[-1].tone == sign.tone:
            found[-1] = Field(found[-1].text + sign.text, sign.tone)
        else:
            found.append(sign)
    return tuple(found)


def _ratios(comparison: Comparison) -> Table:
    lines = comparison.lines
    heads = [Column("what", grow=True), Column("ratio", True), Column(_SCALE, most=2 * _HALF + 1)]
    heads += _flag_column(lines)

    def row(index: int) -> Row:
        line = lines[index]
        shown: list[Field | str] = [
            _what(comparison, line),
            values.ratio(line),
            _deviation(line),
            _flags(line),
        ]
        return shown[: len(heads)]

    return Table(heads, len(lines), row)


def _chart(comparison: Comparison) -> Table:
    """Two bars a line; as long as the value is beside the largest of the same unit."""
    lines = comparison.lines
    largest: dict[str, float] = {}
    for line in lines:
        found = [abs(v) for v in (line.published, line.measured) if v is not None]
        largest[line.unit] = max([largest.get(line.unit, 0.0), *found])

    def row(index: int) -> Row:
        line = lines[index // 2]
        whole = largest[line.unit] or 1.0
        told: list[Field | str]
        if index % 2 == 0:
            shown = bar(abs(line.published or 0.0) / whole, _BAR)
            what = _what(comparison, line)
            told = [what, "published", Field(shown, "dim"), values.published(line), ""]
            return told[: len(heads)]
        shown = bar(abs(line.measured or 0.0) / whole, _BAR)
        told = ["", "measured", Field(shown, "accent"), _measured(line), _flags(line)]
        return told[: len(heads)]

    heads = [Column("what", grow=True), Column("", most=9), Column("", most=_BAR), Column("value")]
    heads += _flag_column(lines)
    return Table(heads, 2 * len(lines), row)


def _issues(comparison: Comparison) -> Table:
    issues = comparison.issues
    names = list(issues[0]) if issues else []
    heads = [Column(name, grow=name == names[-1], most=30) for name in names]
    return Table(heads, len(issues), lambda index: [issues[index][n] or "" for n in names])


def _key_names(comparison: Comparison) -> list[str]:
    """The keys that tell lines apart."""
    lines = comparison.lines
    return [name for name in comparison.key if len({line.key[name] for line in lines}) > 1]


def _keys(comparison: Comparison) -> list[Column]:
    return [
        Column(name.replace("batch_size", "batch"), name == "batch_size", most=18)
        for name in _key_names(comparison)
    ]


def _key(name: str) -> Callable[[Line], str]:
    return lambda line: line.key[name]


def _what(comparison: Comparison, line: Line) -> str:
    keys = [line.key[name] for name in _key_names(comparison)]
    return " ".join([*keys, line.quantity])


def _measured(line: Line) -> Field:
    if line.measured is not None:
        return Field(values.measured(line))
    name = line.state.partition(":")[0]
    return state(name) if ":" in line.state else Field(name, "dim")


def _flag_column(lines: Sequence[Line]) -> list[Column]:
    """None where no line has a flag: bars need the room."""
    return [Column("flags", most=24)] if any(line.flags for line in lines) else []


def _flags(line: Line) -> Field:
    return Field(values.flags(line), "warn")


def _deviation(line: Line) -> Field:
    """A mark on a scale from 1/4 to 4, and a line from 1 to it."""
    middle = _HALF
    if not line.ratio or line.ratio <= 0:
        return Field("·" * middle + "│" + "·" * middle, "dim")
    share = max(-_SPAN, min(_SPAN, math.log2(line.ratio))) / _SPAN
    at = middle + round(share * middle)
    scale = ["·"] * (2 * middle + 1)
    for position in range(min(at, middle), max(at, middle) + 1):
        scale[position] = "━"
    scale[middle] = "┃"
    scale[at] = "◆"
    return Field("".join(scale), "")


def main_metric(manifest: Manifest) -> Metric | None:
    """What a cell was run for: of the metrics that runs are compared by, the first that it has.

    None where it has none of them, or can't have what it has.
    """
    for name in COMPARED:
        found = manifest.metric(name)
        if found is not None and readings(found):
            return None if impossible_in(manifest, found) else found
    return None


def _value(metric: Metric) -> str:
    """In the unit that people read; what isn't a latency says what it is."""
    factor, unit = shown_in(METRICS[metric.name].unit)
    told = f"{values.number((median(readings(metric)) or 0.0) * factor)} {unit}"
    return told if metric.name == COMPARED[0] else f"{told} {METRICS[metric.name].name}"


def cells_table(planned: Sequence[PlannedCell], manifests: dict[str, Manifest]) -> Table:
    """Every cell of a run with its status; the row is made when it is seen."""
    titles = Titles(planned)
    heads = [
        Column("cell", grow=True), Column("state", most=15), Column("took", True),
        Column("measured", most=20),
    ]  # fmt: skip

    def row(index: int) -> Row:
        cell = planned[index]
        manifest = manifests.get(cell.id)
        if manifest is None:
            name = "can't run" if cell.skip else "waiting"
            return [titles.of(cell.cell), state(name), "", ""]
        took = duration(manifest.wall_s)
        found = main_metric(manifest)
        told = _value(found) if found is not None else ""
        flagged = found is not None and flags_of(manifest, found.name)
        marked = Field(f"{told} {MARK}", "warn") if flagged else told
        return [titles.of(cell.cell), state(manifest.status), took, marked]

    return Table(heads, len(planned), row)
