"""Reading ``studies/<id>/study.toml``: axes, recipes, tiers, cells, what is unspecified."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import msgspec

from manifests.cell import Device, Protocol, Scalar, Task, canonical_json
from manifests.documents import DocumentError, read_toml
from manifests.select import nearest
from orchestrator.errors import InputError
from orchestrator.places import STUDIES


class WeightsFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cell to start from; ``technique`` is this cell's own unless given."""

    task: Task
    technique: str | None = None


class CellGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cells that differ only along the listed axes."""

    task: Task
    framework: list[str]
    technique: list[str]
    recipe: str
    estimate_s: dict[str, float]
    batch_size: list[int] | None = None
    device: list[Device] | None = None
    weights: WeightsFrom | None = None


class Axes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every cell has unless its group says otherwise."""

    model: str
    image_size: int
    batch_size: int
    seed: int


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the recipe is spent."""

    about: str
    dataset: str
    repeats: int
    timeout_s: dict[str, float]
    recipes: dict[str, dict[str, Scalar]] = {}


class Unspecified(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the paper leaves open, and what was chosen."""

    what: str
    choice: str
    why: str


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A paper made runnable."""

    id: str
    title: str
    authors: list[str]
    year: int
    where: str
    about: str
    protocols: list[Protocol]
    axes: Axes
    images: dict[str, str]
    recipes: dict[str, dict[str, Scalar]]
    tiers: dict[str, Tier]
    cells: list[CellGroup]
    unspecified: list[Unspecified]

    def tier(self, name: str) -> Tier:
        """Raises InputError with the tiers there are."""
        if name not in self.tiers:
            raise InputError(
                f"{self.id} has no tier {name!r}.{nearest(name, self.tiers)} "
                f"Accepted: {', '.join(self.tiers)}"
            )
        return self.tiers[name]

    def recipe(self, name: str, tier: str) -> dict[str, Scalar]:
        """The published recipe with what the tier changes."""
        return {**self.recipes[name], **self.tiers[tier].recipes.get(name, {})}


def study_ids(folder: Path = STUDIES) -> list[str]:
    """The studies there are."""
    return sorted(path.parent.name for path in folder.glob("*/study.toml"))


def load_study(study: str, folder: Path = STUDIES) -> Study:
    """Read and check a study. Raises InputError that names file, line and key."""
    known = study_ids(folder)
    if study not in known:
        raise InputError(
            f"no study {study!r}.{nearest(study, known)} Accepted: {', '.join(known) or 'none'}"
        )
    path = folder / study / "study.toml"
    try:
        loaded = read_toml(path, Study)
    except DocumentError as error:
        raise InputError(str(error)) from error
    _check(loaded, path)
    return loaded


def _check(study: Study, path: Path) -> None:
    """What types can't say: names that refer to one another, numbers that JSON doesn't have."""
    try:
        canonical_json([study.recipes, study.tiers])
    except ValueError:
        raise InputError(
            f"{path}: recipes: nan and inf are not numbers that a cell can have"
        ) from None
    if study.id != path.parent.name:
        raise InputError(f"{path}: id: is {study.id!r}, but the folder is {path.parent.name!r}")
    for index, group in enumerate(study.cells):
        where = f"{path}: cells[{index}] ({group.task} {', '.join(group.technique)})"
        _known(where, "recipe", group.recipe, study.recipes)
        for framework in group.framework:
            _known(where, "framework", framework, study.images)
        for tier in study.tiers:
            _known(where, "estimate_s for tier", tier, group.estimate_s)
    for name, tier_ in study.tiers.items():
        for recipe, changes in tier_.recipes.items():
            where = f"{path}: tiers.{name}.recipes"
            _known(where, "recipe", recipe, study.recipes)
            for key in changes:
                _known(f"{where}.{recipe}", "key", key, [*study.recipes[recipe], "longest_s"])
        for task in ("train", "quantize", "infer"):
            _known(f"{path}: tiers.{name}.timeout_s", "task", task, tier_.timeout_s)


def _known(where: str, what: str, value: str, accepted: Collection[str]) -> None:
    if value not in accepted:
        raise InputError(
            f"{where}: no {what} {value!r}.{nearest(value, accepted)} "
            f"Accepted: {', '.join(accepted)}"
        )
