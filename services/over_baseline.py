"""A number over that of the baseline beside it, for tables of which the paper prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from comparisons.comparison import Comparison, Line
    from manifests.cell import Cell
    from manifests.plan import Plan

_RELATIVE = ("x", "%", "points")
"""Units of what is a ratio or a share already."""


class OverBaseline(NamedTuple):
    """``ratio`` is the number over that of ``technique``, the baseline of its framework."""

    ratio: float
    technique: str


def over_baseline(comparison: Comparison, plan: Plan) -> Mapping[int, OverBaseline]:
    """By the index of the line: of those with a baseline at the same point, in the same table.

    The same point is the same model, data, batch size, device and protocol in one framework. A
    number that is itself a ratio or a share has none.
    """
    cells = {planned.id: planned.cell for planned in plan.cells}
    points = [_point(line, cells) for line in comparison.lines]
    bases: dict[tuple[object, ...], list[int]] = {}
    for index, point in enumerate(points):
        if point is not None and point.is_baseline:
            bases.setdefault(point.key, []).append(index)
    found = {}
    for index, point in enumerate(points):
        if point is None or point.is_baseline:
            continue
        base = _base(comparison.lines, index, bases.get(point.key, []))
        if base:
            value = comparison.lines[index].measured or 0.0
            found[index] = OverBaseline(value / base, point.baseline)
    return found


class _Point(NamedTuple):
    """Where a number was taken; ``baseline`` is the technique it is held against."""

    key: tuple[object, ...]
    is_baseline: bool
    baseline: str


def _point(line: Line, cells: Mapping[str, Cell]) -> _Point | None:
    from manifests.runner_files import readable_frameworks

    cell = cells.get(line.cells[0]) if line.cells else None
    if cell is None or line.measured is None or line.unit in _RELATIVE:
        return None
    framework = readable_frameworks().get(cell.framework)
    baseline = framework.baseline_of(cell.task) if framework else "float32"
    key = (
        cell.task, cell.framework, cell.model, cell.dataset, cell.image_size, cell.batch_size,
        cell.device, cell.seed, cell.protocol, line.unit,
    )  # fmt: skip
    return _Point(key, cell.technique == baseline and not cell.variant, baseline)


def _base(lines: list[Line], index: int, candidates: list[int]) -> float | None:
    """The baseline's number in the same column, else the only one there is."""
    same = [i for i in candidates if lines[i].column == lines[index].column]
    chosen = same or candidates
    return lines[chosen[0]].measured if len(chosen) == 1 else None
