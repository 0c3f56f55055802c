"""Which cell a cell starts from: lineage is part of a cell's identity."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from manifests.cell import Cell
from manifests.errors import InputError
from papers.cell_group import WeightsFrom

_Key = tuple[str, str, str, str, str]
_CLOSER = ("environment", "image_size", "seed", "device", "protocol")


class Lineage:
    """The cells of a plan so far; each one is added after those that it may start from.

    What starts from weights starts from those of the first repeat.
    """

    def __init__(self, study: str, repeats_allowed: bool = False) -> None:
        self._study = study
        self._repeats_allowed = repeats_allowed
        self._makers: dict[_Key, list[Cell]] = defaultdict(list)
        self._trained_with: dict[str | None, str] = {}
        self._seen: set[str] = set()

    def add(self, cell: Cell, source: WeightsFrom | None) -> Cell | None:
        """``cell`` with its ``weights_from``; None for one that is there already, as an overlay may
        have it. Raises InputError, also for a cell that a study lists twice.
        """
        if source is not None:
            cell = msgspec.structs.replace(cell, weights_from=self._parent(cell, source).id)
        if cell.id in self._seen and self._repeats_allowed:
            return None
        if cell.id in self._seen:
            raise self._error(f"{cell.title} is listed twice")
        self._seen.add(cell.id)
        if _makes_weights(cell):
            self._makers[_key(cell, cell.framework, cell.task, cell.technique)].append(cell)
        trained = cell.technique if cell.task == "train" else None
        self._trained_with[cell.id] = trained or self._trained_with.get(cell.weights_from, "")
        return cell

    def _parent(self, cell: Cell, source: WeightsFrom) -> Cell:
        """The one that fits; among several, the one of the same size, seed, device, protocol."""
        technique = source.technique or cell.technique
        framework = source.framework or cell.framework
        own = (technique, framework) == (cell.technique, cell.framework)
        variant = source.variant if source.variant is not None else cell.variant if own else ""
        found = [
            maker
            for maker in self._makers[_key(cell, framework, source.task, technique)]
            if source.batch_size in (None, maker.batch_size)
            and source.trained_with in (None, self._trained_with[maker.id])
            and maker.variant == variant
            and maker.feature == cell.feature
            and maker.environment in ("", cell.environment)
            and _fits(cell, maker, source)
        ]
        for field in _CLOSER:
            closer = [m for m in found if getattr(m, field) == getattr(cell, field)]
            found = closer or found
        words = f"{framework} {source.task} {technique} {variant}".rstrip()
        if not found:
            raise self._error(f"{cell.title} starts from {words}, which no group before it makes")
        if len(found) > 1:
            raise self._error(
                f"{cell.title} could start from {len(found)} cells {words}: "
                "give weights.batch_size or weights.trained_with"
            )
        return found[0]

    def _error(self, text: str) -> InputError:
        return InputError(f"studies/{self._study}/study.toml: {text}")


def _key(cell: Cell, framework: str, task: str, technique: str) -> _Key:
    return (framework, task, technique, cell.model, cell.dataset)


def _makes_weights(cell: Cell) -> bool:
    """Others start from the first process of a point, whatever repeats it has."""
    return cell.task != "infer" and not cell.repeat and cell.recipe.get("keep_weights") is not False


def _fits(cell: Cell, maker: Cell, source: WeightsFrom) -> bool:
    """Whether the weights are for images of the size that is asked for."""
    wanted = cell.image_size if source.image_size is None else source.image_size
    return wanted in ("any", maker.image_size)
