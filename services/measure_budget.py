"""What ``measure`` runs next, so that a budget gives the most that can be told of a model.

First every model at the smallest batch size, the file itself first, one after the other from its
making to its latency: a row a toolchain and precision, however long that takes. Then the largest
batch size, then those between, as far as there is time; then all again, batch size by batch size.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from manifests.cell import Cell
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from orchestrator.planning.quadruples import point_of
from services.quadruple_choice import spent_s

_CALLS = 6
"""What a slow inference makes of calls at least: to warm up, to measure, to profile."""


def batch_order(batches: Iterable[int]) -> list[int]:
    """The smallest, the largest, and the others from the smallest on."""
    rising = sorted(set(batches))
    return [*rising[:1], *rising[1:][-1:], *rising[1:-1]]


def first_stage(cells: Sequence[PlannedCell], reference: str) -> list[PlannedCell]:
    """Every model with its inference at the smallest batch size; of the framework that opens the
    file as it is before the others.
    """
    models = [one for one in cells if one.cell.task == "quantize"]
    models.sort(key=lambda one: one.cell.framework != reference)
    smallest = inferences(cells, batch_order(_batches(cells))[0])
    return [
        one
        for model in models
        for one in (model, *(call for call in smallest if call.cell.weights_from == model.id))
    ]


def later_stages(cells: Sequence[PlannedCell]) -> list[list[PlannedCell]]:
    """The inferences at each other batch size, what tells most first."""
    return [inferences(cells, batch) for batch in batch_order(_batches(cells))[1:]]


def inferences(cells: Sequence[PlannedCell], batch: int) -> list[PlannedCell]:
    """Those of that batch size."""
    return [one for one in cells if one.cell.task == "infer" and one.cell.batch_size == batch]


def not_ended(cells: Sequence[PlannedCell], manifests: Sequence[Manifest]) -> list[PlannedCell]:
    """Those that nobody has measured yet."""
    ended = {one.id for one in manifests if one.status == "ok"}
    return [one for one in cells if one.id not in ended]


def _batches(cells: Sequence[PlannedCell]) -> set[int]:
    return {one.cell.batch_size for one in cells if one.cell.task == "infer"}


class Budget:
    """Seconds that cells may take, breaks between them included, and what of them is left."""

    def __init__(self, seconds: float, manifests: Sequence[Manifest]) -> None:
        self._manifests = manifests
        spent = spent_s(manifests)
        walls = sum(one.wall_s for one in manifests)
        self._between_s = max(0.0, spent - walls) / max(1, len(manifests))
        self.left_s = seconds - spent

    def fitting(self, cells: Sequence[PlannedCell]) -> list[PlannedCell]:
        """Those that there is time for, one after the other; what is too slow gives way."""
        left_s = self.left_s
        found = []
        for one in cells:
            seconds = self.cost_s(one)
            if seconds <= left_s:
                found.append(one)
                left_s -= seconds
        return found

    def holds(self, cells: Sequence[PlannedCell]) -> bool:
        """Whether there is time for all of them."""
        return sum(map(self.cost_s, cells)) <= self.left_s

    def cost_s(self, planned: PlannedCell) -> float:
        """As long as processes of the same point took; else from calls on another batch size, and
        without any as planned.
        """
        same = [one.wall_s for one in self._of(planned.cell) if _same_point(one, planned.cell)]
        if same:
            return statistics.median(same) + self._between_s
        known = [_scaled(one, planned) for one in self._of(planned.cell)]
        bounds = [seconds for seconds in known if seconds is not None]
        return min(bounds, default=planned.estimate_s) + self._between_s

    def _of(self, cell: Cell) -> list[Manifest]:
        """What has been measured of the same model in the same toolchain."""
        wanted = _kind(cell)
        ended = (one for one in self._manifests if one.status == "ok")
        return [one for one in ended if _kind(one.cell) == wanted]


def _kind(cell: Cell) -> tuple[str, str, str]:
    return cell.task, cell.framework, cell.technique


def _same_point(manifest: Manifest, cell: Cell) -> bool:
    return point_of(manifest.cell) == point_of(cell)


def _scaled(manifest: Manifest, planned: PlannedCell) -> float | None:
    """At most so long: a larger batch takes the same start, and calls that are longer by so many
    samples; a smaller one no longer than the larger.
    """
    metric = manifest.metric("latency_s")
    samples = [one for one in metric.samples if one is not None] if metric else []
    if not samples:
        return None
    more = planned.cell.batch_size / manifest.cell.batch_size
    longer_s = _CALLS * statistics.median(samples) * more
    return manifest.wall_s + (longer_s if more > 1 else 0.0)
