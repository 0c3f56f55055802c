"""What was measured for a place of a table."""

from __future__ import annotations

from comparisons.measured import Measured, measure_place
from comparisons.points import Points
from manifests.cell import Cell
from manifests.manifest import Manifest
from papers.published import Column, TableFile, Wanted
from tests.comparisons.samples import planned

LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")


def table(**select: str | int) -> TableFile:
    wanted: Wanted = {**select}
    return TableFile(id="t", title="T", place="p", key=["framework"], select=wanted)


def place(
    cells: list[Cell], manifests: list[Manifest], column: Column = LATENCY, **select: str | int
) -> Measured:
    points = Points([planned(cell) for cell in cells], manifests)
    return measure_place(table(**select), column, {"framework": "pytorch"}, points)
