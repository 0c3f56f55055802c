"""The planned cells of a run with their manifests, found by what a table asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from manifests.cell import Cell
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from papers.published import OF_RECIPE, TRAINED_WITH, Wanted

_GROUP = ("framework", "task", "technique")
_OWN = ("variant", "environment")


class Point(NamedTuple):
    """A planned cell, and its manifest where there is one.

    ``trained_with`` is the technique whose training made the weights, empty where none did.
    """

    id: str
    cell: Cell
    manifest: Manifest | None
    trained_with: str = ""
    experiments: Sequence[str] = ("",)

    def value(self, name: str) -> object:
        """A field of the cell, what its recipe says (empty without), or ``trained_with``."""
        if name in OF_RECIPE:
            return self.cell.recipe.get(name, "")
        return self.trained_with if name == TRAINED_WITH else getattr(self.cell, name)


class Points:
    """All cells of a run, found quickly by framework and technique."""

    def __init__(self, planned: Iterable[PlannedCell], manifests: Iterable[Manifest]) -> None:
        by_id = {manifest.id: manifest for manifest in manifests}
        planned = list(planned)
        training = _training_techniques(planned)
        self.all = [
            Point(
                item.id,
                item.cell,
                by_id.get(item.id),
                training[item.id],
                (item.experiment, *item.also),
            )
            for item in planned
        ]
        self._groups: dict[tuple[str, str, str], list[Point]] = {}
        for point in self.all:
            key = (point.cell.framework, point.cell.task, point.cell.technique)
            self._groups.setdefault(key, []).append(point)

    def matching(
        self, *wanted: Wanted, every: Collection[str] = (), experiment: str = ""
    ) -> list[Point]:
        """The points whose cells have all the wanted values.

        Where nothing asks for a variant, what the technique does by itself is meant; where nothing
        asks for an environment, the study's own; and for an experiment, what runs by default.
        ``every`` names those of the first two of which all are meant.
        """
        accepted = [(name, _texts(value)) for want in wanted for name, value in want.items()]
        for name in _OWN:
            if name not in every and not any(name in want for want in wanted):
                accepted.append((name, {""}))
        rest = [(name, texts) for name, texts in accepted if name not in _GROUP]
        found: list[Point] = []
        for group, points in self._groups.items():
            head = dict(zip(_GROUP, group, strict=True))
            if all(head[name] in texts for name, texts in accepted if name in head):
                found += [p for p in points if all(str(p.value(k)) in texts for k, texts in rest)]
        asked = {"", experiment}
        return [point for point in found if not asked.isdisjoint(point.experiments)]


def _training_techniques(planned: list[PlannedCell]) -> dict[str, str]:
    """By cell id. A plan lists a cell after the one it starts from."""
    found: dict[str, str] = {}
    for item in planned:
        parent = found.get(item.cell.weights_from or "", "")
        found[item.id] = item.cell.technique if item.cell.task == "train" else parent
    return found


def _texts(wanted: object) -> set[str]:
    """What a value may be. CSV keys are text, so both sides are compared as text."""
    return set(map(str, wanted)) if isinstance(wanted, list) else {str(wanted)}
