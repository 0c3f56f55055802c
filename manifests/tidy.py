"""A run as long, tidy tables: a row a sample or a metric, a column for each field of a cell."""

from __future__ import annotations

import json
import statistics
from typing import Any, Callable, Dict, Iterable, Iterator, List, Optional, Sequence

from manifests.cell import Cell
from manifests.flags import flags_of
from manifests.manifest import Manifest, Metric

Column = List[Any]
RECIPE = "recipe_"
CELL = tuple(name for name in Cell.__struct_fields__ if name != "recipe")
ATTEMPT = (
    "run", "cell", *CELL, "status", "reason", "started_at", "wall_s", "engine", "image",
    "commit", "cpu", "gpu",
)  # fmt: skip
SAMPLE = ("metric", "label", "unit", "items", "flags", "sample", "value")
METRIC = ("metric", "label", "unit", "items", "flags", "n", "median", "minimum", "maximum")


def samples(manifests: Sequence[Manifest]) -> Dict[str, Column]:
    """A row for each sample of each metric, by columns of equal length.

    ``value`` is in ``unit``, as it was recorded; None for one that could not be read.
    ``sample`` counts from 0. A cell that left no metric has one row without a metric, so that
    failures stay in the table. ``flags`` names those that speak of the metric, by commas.
    """
    return _columns(manifests, SAMPLE, _sample_rows)


def metrics(manifests: Sequence[Manifest]) -> Dict[str, Column]:
    """A row for each metric of each manifest: how many samples were read, and their middle.

    A cell that left no metric has one row without one.
    """
    return _columns(manifests, METRIC, _metric_rows)


Rows = Callable[[Manifest, Metric], Iterable[Dict[str, Any]]]


def _columns(manifests: Sequence[Manifest], own: Sequence[str], rows: Rows) -> Dict[str, Column]:
    recipe = sorted({key for manifest in manifests for key in manifest.cell.recipe})
    names = [*ATTEMPT, *(RECIPE + key for key in recipe), *own]
    columns: Dict[str, Column] = {name: [] for name in names}
    for manifest in manifests:
        attempt = _attempt(manifest)
        for row in _of(manifest, rows):
            for name, column in columns.items():
                column.append(attempt[name] if name in attempt else row.get(name))
    return columns


def _of(manifest: Manifest, rows: Rows) -> Iterator[Dict[str, Any]]:
    """The rows of one manifest; at least one."""
    if not manifest.metrics:
        yield {}
    for metric in manifest.metrics:
        told = {
            "metric": metric.name, "label": metric.label, "unit": metric.unit,
            "items": metric.items, "flags": ",".join(flags_of(manifest, metric.name)),
        }  # fmt: skip
        for row in rows(manifest, metric):
            yield {**told, **row}


def _sample_rows(manifest: Manifest, metric: Metric) -> Iterator[Dict[str, Any]]:
    for number, value in enumerate(metric.samples or [None]):
        yield {"sample": number, "value": _real(value)}


def _metric_rows(manifest: Manifest, metric: Metric) -> Iterator[Dict[str, Any]]:
    read = [float(value) for value in metric.samples if value is not None]
    yield {
        "n": len(read), "median": statistics.median(read) if read else None,
        "minimum": min(read) if read else None, "maximum": max(read) if read else None,
    }  # fmt: skip


def _attempt(manifest: Manifest) -> Dict[str, Any]:
    """What is the same on every row of a manifest."""
    cell, context, machine = manifest.cell, manifest.context, manifest.environment.machine
    return {
        **{name: getattr(cell, name) for name in CELL},
        **{RECIPE + key: _plain(value) for key, value in cell.recipe.items()},
        "cell": manifest.id,
        "run": context.run if context else None,
        "status": manifest.status,
        "reason": manifest.reason or None,
        "started_at": manifest.started_at,
        "wall_s": manifest.wall_s,
        "engine": context.engine if context else None,
        "image": context.image.name if context else None,
        "commit": context.kit.commit if context else None,
        "cpu": machine.cpu if machine else None,
        "gpu": ", ".join(gpu.name for gpu in machine.gpus) or None if machine else None,
    }


def _plain(value: Any) -> Any:
    """A list as JSON: a column of a table holds one value a row."""
    return json.dumps(value) if isinstance(value, list) else value


def _real(value: Any) -> Optional[float]:
    return None if value is None else float(value)
