"""What was measured for one place of a table: the cells that answer it, and their value."""

from __future__ import annotations

import functools
import statistics
from typing import NamedTuple, TypeGuard

import msgspec

from comparisons.number_flags import NO_FLAGS, Flagged, flagged, forbidding, refused
from comparisons.points import Point, Points
from comparisons.sequential.partners import Process
from comparisons.statistics import median, readings
from manifests.cell import Cell
from manifests.manifest import Manifest, Metric
from manifests.metrics import is_proportion, left_out
from manifests.right_answers import RightAnswers
from manifests.runner_files import average, protocol_files
from manifests.units import UNITS
from papers.published import Column, PublishedRow, TableFile, Wanted
from papers.rounding import decimals


class Measured(NamedTuple):
    """A value in the column's unit, or the reason for none. ``n`` counts processes.

    ``values`` has one for each process; ``images`` how many test images a proportion counts.
    ``flagged`` has the cells of each flag that is about it, ``flags`` their names. ``processes``
    are all that have ended, each with what forbids it to decide. ``answers``: which test images an
    accuracy counts, where its processes recorded the same.
    """

    value: float | None
    n: int
    samples: int
    state: str
    cells: list[str]
    flags: list[str]
    work: str = ""
    values: tuple[float, ...] = ()
    images: int = 0
    flagged: Flagged = NO_FLAGS
    processes: tuple[Process, ...] = ()
    answers: RightAnswers | None = None


_DIGITS = 9
"""Behind the point of a difference: fewer than a float's own error has."""
ACCURACY = "accuracy"
"""The metric whose right answers a manifest has one by one."""
NOTHING = Measured(None, 0, 0, "no such cell", [], [])


def row_keys(table: TableFile, points: Points) -> list[dict[str, str]]:
    """The rows of a table that has no published ones: as many as the cells distinguish."""
    seen: dict[tuple[str, ...], None] = {}
    for point in points.matching(table.select, every=table.key, experiment=table.experiment):
        values = tuple(str(point.value(name)) for name in table.key)
        seen.update(dict.fromkeys((*values, *label) for label in _labels(table, point)))
    ordered = sorted(
        seen, key=lambda values: [(len(v), v) if v.isdigit() else (0, v) for v in values]
    )
    return [dict(zip(table.keys, values, strict=True)) for values in ordered]


def _labels(table: TableFile, point: Point) -> list[tuple[str, ...]]:
    """What of a row's key is a label of a cell's metric; one without a name where it has none."""
    if not table.metric_label:
        return [()]
    found = point.manifest.labelled(table.column[0].metric) if point.manifest else []
    return [(metric.label,) for metric in found] or [("",)]


def measure_place(
    table: TableFile, column: Column, key: dict[str, str], points: Points
) -> Measured:
    """The value at a row and a column that isn't derived; labels choose no cells."""
    narrowed = column.select.get(key.get("framework", ""), column.select.get("any", {}))
    wanted: list[Wanted] = [table.select, narrowed, {**table.of_cells(key), **column.instead}]
    if column.elsewhere:
        wanted = [column.elsewhere]
    found = points.matching(*wanted, experiment=table.experiment)
    if table.metric_label:
        column = msgspec.structs.replace(column, source=key[table.metric_label])
    return summarise(column, [p for p in found if not left_out(column.metric, p.cell.recipe)])


def summarise(column: Column, points: list[Point]) -> Measured:
    """The value of a column from processes of one point, or the reason for none."""
    if not points:
        return NOTHING
    processes: list[Process] = []
    samples = 0
    for point in points:
        value, count = _value(column, point)
        if point.manifest is not None:
            processes.append(_process(column, point.manifest, value))
        samples += count
    values = [process.value for process in processes if process.value is not None]
    found = flagged((p.manifest for p in points if _succeeded(p.manifest)), column.metric)
    ids = [point.id for point in points]
    state = "ok" if values else _state(column, points)
    return Measured(
        median(values), len(values), samples, state, ids, list(found), _work(column, points),
        tuple(values), _images(column, points), found, tuple(processes), _answers(column, points),
    )  # fmt: skip


def _process(column: Column, manifest: Manifest, value: float | None) -> Process:
    voided, unusable = forbidding(manifest, column.metric)
    given = manifest.context.allocation if manifest.context else None
    node = given.node if given else ""
    return Process(
        manifest.id, manifest.cell.repeat, value, manifest.wall_s, voided, unusable, node
    )


def _succeeded(manifest: Manifest | None) -> TypeGuard[Manifest]:
    return manifest is not None and manifest.status == "ok"


def _images(column: Column, points: list[Point]) -> int:
    """The fewest test images behind a proportion of them, 0 for none or where it isn't known."""
    if not is_proportion(column.metric):
        return 0
    counts = [images_tested(p.manifest) for p in points if _succeeded(p.manifest)]
    return min((count or 0 for count in counts), default=0)


def _answers(column: Column, points: list[Point]) -> RightAnswers | None:
    if column.metric != ACCURACY:
        return None
    found = [p.manifest.answers for p in points if _succeeded(p.manifest)]
    return found[0] if found and all(one == found[0] for one in found) else None


def images_tested(manifest: Manifest) -> int | None:
    """How many images an accuracy of this cell is a share of, None where it isn't recorded."""
    data = manifest.inputs.dataset
    if data is None:
        return None
    split = data.splits.get("test")
    return data.used.get("test") or (split.count if split else None)


def _work(column: Column, points: list[Point]) -> str:
    """How much one sample covers, e.g. ``768 images``."""
    metrics = [p.manifest.metric(column.metric) for p in points if p.manifest and column.work]
    counts = sorted({metric.items for metric in metrics if metric is not None})
    return f"{', '.join(f'{count:,}' for count in counts)} {column.work}" if counts else ""


def _value(column: Column, point: Point) -> tuple[float | None, int]:
    """One process' value in the column's unit, and from how many samples."""
    if not _succeeded(point.manifest) or _refused(column, point.manifest):
        return None, 0
    if column.share:
        return _share(column, point.manifest)
    metric = _metric(column, point.manifest)
    found = readings(metric)[column.skip :] if metric else []
    if metric is None or not found:
        return None, 0
    value = sum(found) if column.total else _middle(point.cell, found)
    items = metric.items if column.per_item else 1
    return value * UNITS[column.unit].factor / items, len(found)


def _middle(cell: Cell, samples: list[float]) -> float:
    """The median or the mean, as the protocol says."""
    mean = _averages().get(cell.protocol) == "mean"
    return statistics.fmean(samples) if mean else statistics.median(samples)


@functools.lru_cache(maxsize=1)
def _averages() -> dict[str, str]:
    """By protocol, read once: there may be many cells."""
    return {name: average(name) for name in protocol_files()}


def _metric(column: Column, manifest: Manifest) -> Metric | None:
    """The column's metric, by the label or the source that it asks for."""
    if not column.source:
        return manifest.metric(column.metric)
    named = (metric for metric in manifest.metrics if metric.name == column.metric)
    wanted = column.source
    return next((m for m in named if wanted == m.label or m.source.startswith(wanted)), None)


def _refused(column: Column, manifest: Manifest) -> str:
    """Why the number behind a column can't be one, "" where it can."""
    asked = manifest.labelled(column.metric) if column.share else [_metric(column, manifest)]
    told = (refused(manifest, metric) for metric in asked if metric is not None)
    return next((text for text in told if text), "")


def _share(column: Column, manifest: Manifest) -> tuple[float | None, int]:
    """The share of an operation group in the time of all operations."""
    times = {metric.label: sum(readings(metric)) for metric in manifest.labelled(column.metric)}
    total = sum(times.values())
    if not total:
        return None, 0
    part = sum(seconds for label, seconds in times.items() if label in column.share)
    return part / total * UNITS[column.unit].factor, 1


def _state(column: Column, points: list[Point]) -> str:
    """Why there is no value: what the manifests say, else that there are none."""
    for point in points:
        if point.manifest is not None and point.manifest.status != "ok":
            return f"{point.manifest.status}: {point.manifest.reason}"
    told = (_refused(column, p.manifest) for p in points if p.manifest is not None)
    why = next((text for text in told if text), "")
    if why:
        return why
    if any(point.manifest is None for point in points):
        return "not run"
    return "not measured by this cell"


def derive(name: str, first: float | None, second: float | None) -> float | None:
    """``reduction`` or ``increase`` from first to second in percent, ``ratio`` first / second,
    ``drop`` first - second.
    """
    if first is not None and second is not None and name == "drop":
        return round(first - second, _DIGITS)
    if first is None or second is None or (second if name == "ratio" else first) == 0:
        return None
    if name == "ratio":
        return first / second
    return {"reduction": 1 - second / first, "increase": second / first - 1}[name] * 100


def published_value(column: Column, row: PublishedRow) -> float | None:
    """What is printed, else what follows from the printed numbers that it is derived from.

    So a speedup stands beside ours where the paper prints latencies alone, and a drop in
    accuracy where it prints accuracies.
    """
    printed = row.numbers.get(column.name)
    if printed is None or printed.value is not None or not column.derive or printed.text:
        return printed.value if printed is not None else None
    ((name, operands),) = column.derive.items()
    parts = column.published_from or operands
    first, second = (row.numbers[part].value for part in parts)
    return _as_printed(
        derive(name, first, second), name, [row.numbers[part].text for part in parts]
    )


def _as_printed(value: float | None, name: str, texts: list[str]) -> float | None:
    """A difference has the decimals of the finer of its numbers: papers leave out last zeros."""
    if name != "drop" or value is None:
        return value
    return round(value, max(map(decimals, texts)))
