"""One metric of a manifest in words, the same on the console, on the screen and in the report."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.render.fidelity_rows import is_layer
from comparisons.render.values import NONE, number
from comparisons.statistics import median, percentile, readings, spread
from manifests.flags import impossible_in
from manifests.manifest import Manifest, Metric

COLUMNS = (
    "metric", "median", "unit", "p90 (estimate)", "p99 (estimate)", "spread", "samples", "source",
)  # fmt: skip
"""What the fields of ``MetricRow`` are called; comparisons.statistics says why estimate."""
NUMBERS = ("median", "p90 (estimate)", "p99 (estimate)", "spread", "samples")


class MetricRow(NamedTuple):
    """``note`` is where the metric comes from, or why it has no statistics."""

    name: str
    median: str
    unit: str
    p90: str
    p99: str
    spread: str
    samples: int
    note: str


def metric_rows(manifest: Manifest, most_operations: int) -> list[MetricRow]:
    """All metrics; of single operations only those that take longest, and no layer's SQNR."""
    return [
        _row(metric, impossible_in(manifest, metric))
        for metric in _shown(manifest, most_operations)
    ]


def _shown(manifest: Manifest, most_operations: int) -> list[Metric]:
    operations = sorted(
        manifest.labelled("op_time_s"), key=lambda metric: sum(readings(metric)), reverse=True
    )
    others = [m for m in manifest.metrics if m.name != "op_time_s" and not is_layer(m)]
    return others + operations[:most_operations]


def _row(metric: Metric, wrong: str) -> MetricRow:
    """What can't be has its reason in place of statistics."""
    values = [] if wrong else readings(metric)
    width = spread(values)
    return MetricRow(
        name=f"{metric.name} {metric.label}".strip(),
        median=number(median(values)),
        unit=metric.unit,
        p90=number(percentile(values, 90)),
        p99=number(percentile(values, 99)),
        spread=f"{width:.1%}" if width is not None else NONE,
        samples=len(values),
        note=wrong or metric.reason or metric.source,
    )
