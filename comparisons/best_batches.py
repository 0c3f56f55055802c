"""The batch size to choose by profiling (shafique2023, section 7), for each way to call a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from comparisons.measured import measure_place
from comparisons.points import Points
from papers.published import Column, TableFile

NEAR = 0.05
"""How much of the best throughput the smallest batch may lack."""
_WAY = ("framework", "device", "image_size", "model", "dataset", "seed", "protocol", "technique",
        "variant", "environment")  # fmt: skip
_LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")


class Rate(NamedTuple):
    """What one batch size gives."""

    batch: int
    latency_ms: float
    items_per_s: float
    flags: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()


class BestBatch(NamedTuple):
    """Of one way to call a model, as fields of its cells; ``rates`` by rising batch size.

    ``limit_ms`` is the longest latency that is accepted, None for any.
    """

    way: dict[str, str]
    rates: tuple[Rate, ...]
    limit_ms: float | None = None

    @property
    def best(self) -> Rate:
        """The one with the highest throughput; of equal ones the smallest batch."""
        return max(self.rates, key=lambda rate: (rate.items_per_s, -rate.batch))

    @property
    def smallest(self) -> Rate:
        """The smallest batch that comes near the best."""
        least = (1 - NEAR) * self.best.items_per_s
        return next(rate for rate in self.rates if rate.items_per_s >= least)

    @property
    def within_limit(self) -> Rate | None:
        """The one with the highest throughput whose latency is accepted, None where none is."""
        limit = self.limit_ms
        fitting = [rate for rate in self.rates if limit is None or rate.latency_ms <= limit]
        return max(fitting, key=lambda rate: (rate.items_per_s, -rate.batch), default=None)


def best_batches(points: Points, limit_ms: float | None = None) -> list[BestBatch]:
    """Of every way that was measured at two batch sizes at least, in the order of the plan."""
    ways: dict[tuple[str, ...], dict[int, str]] = {}
    for point in points.all:
        if point.cell.task == "infer":
            way = tuple(str(getattr(point.cell, name)) for name in _WAY)
            ways.setdefault(way, {}).setdefault(point.cell.batch_size, point.experiments[0])
    found = (
        BestBatch(dict(zip(_WAY, way, strict=True)), tuple(_rates(way, batches, points)), limit_ms)
        for way, batches in ways.items()
    )
    return [one for one in found if len(one.rates) > 1]


def _rates(way: Sequence[str], batches: dict[int, str], points: Points) -> Iterator[Rate]:
    for batch, experiment in sorted(batches.items()):
        key = {**dict(zip(_WAY, way, strict=True)), "batch_size": str(batch)}
        table = TableFile(
            id="", title="", place="", key=list(key), select={"task": "infer"},
            experiment=experiment,
        )  # fmt: skip
        found = measure_place(table, _LATENCY, key, points)
        if found.value:
            rate = 1e3 * batch / found.value
            yield Rate(batch, found.value, rate, tuple(found.flags), tuple(found.cells))
