"""Reading ``studies/<id>/study.toml``: axes, recipes, tiers, cells, what is unspecified."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import msgspec

from manifests.cell import Device, Protocol, Scalar, Task, canonical_json
from manifests.documents import DocumentError, read_toml
from manifests.errors import InputError
from manifests.models import MODELS
from manifests.paths import STUDIES
from manifests.runner_files import check_variant, protocol_files, technique_files
from manifests.select import nearest


class WeightsFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cell to start from: of the same model and data set.

    ``framework`` and ``technique`` are this cell's own unless given; so is ``variant`` where the
    technique is its own. ``batch_size`` and ``trained_with`` (the technique of the training before
    it) choose among several.
    """

    task: Task
    framework: str | None = None
    technique: str | None = None
    variant: str | None = None
    batch_size: int | None = None
    trained_with: str | None = None


class Narrowing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a group's axes."""

    framework: list[str] | None = None
    model: list[str] | None = None
    dataset: list[str] | None = None
    batch_size: list[int] | None = None
    technique: list[str] | None = None
    variant: list[str] | None = None
    protocol: list[Protocol] | None = None


class CellGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cells that differ only along the listed axes.

    ``variant``: those of its techniques, "" being what a technique does by itself.
    ``only``: the parts that a tier takes, by tier; no part leaves the group out. ``recipe`` may
    differ by protocol. ``image`` is the framework's own unless given. ``estimate_s`` is by tier,
    for the study's own model; ``effort`` has the others' factor.
    """

    task: Task
    framework: list[str]
    technique: list[str]
    recipe: str | dict[Protocol, str]
    estimate_s: dict[str, float]
    model: list[str] | None = None
    dataset: list[str] | None = None
    batch_size: list[int] | None = None
    device: list[Device] | None = None
    variant: list[str] | None = None
    protocol: list[Protocol] | None = None
    weights: WeightsFrom | None = None
    image: str | None = None
    only: dict[str, list[Narrowing]] = {}

    def recipe_for(self, protocol: Protocol) -> str:
        """The name of the recipe."""
        return self.recipe if isinstance(self.recipe, str) else self.recipe[protocol]

    def parts(self, tier: str) -> list[CellGroup]:
        """What the tier takes of the group, each part a group of its own."""
        if tier not in self.only:
            return [self]
        return [_narrowed(self, part) for part in self.only[tier]]


def _narrowed(group: CellGroup, part: Narrowing) -> CellGroup:
    given = {name: getattr(part, name) for name in part.__struct_fields__}
    taken = {name: values for name, values in given.items() if values is not None}
    return msgspec.structs.replace(group, **taken)


class Axes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every cell has unless its group says otherwise."""

    model: str
    image_size: int
    batch_size: int
    seed: int


class DataSlot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data set of the paper, and the size of its pictures there."""

    image_size: int


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the recipe is spent. ``dataset`` stands in for the paper's own unless empty.

    In ``about``, {data} and {chance} are the images of a run and the accuracy of guessing there.
    """

    about: str
    repeats: int
    dataset: str = ""
    timeout_s: dict[str, float]
    recipes: dict[str, dict[str, Scalar]] = {}

    @property
    def summary(self) -> str:
        """``about`` where no run's images have been chosen."""
        data = {"": "the paper's own images", "digits": "the embedded digits"}
        named = self.about.replace("{data}", data.get(self.dataset, self.dataset))
        return named.replace(" ({chance})", "")


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
    datasets: dict[str, DataSlot] = {}
    gpu_images: dict[str, list[str]] = {}
    effort: dict[str, float] = {}

    def sizes(self) -> dict[str, int]:
        """Image sizes by the name of the data set; an empty name where the study has one set."""
        if not self.datasets:
            return {"": self.axes.image_size}
        return {name: slot.image_size for name, slot in self.datasets.items()}

    def image_names(self) -> list[str]:
        """Every environment that the study may need."""
        more = (name for names in self.gpu_images.values() for name in names)
        grouped = (group.image for group in self.cells if group.image)
        return list(dict.fromkeys([*self.images.values(), *more, *grouped]))

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
    for protocol in study.protocols:
        _known(f"{path}: protocols", "protocol", protocol, protocol_files())
    for index, group in enumerate(study.cells):
        _check_group(
            f"{path}: cells[{index}] ({group.task} {', '.join(group.technique)})", study, group
        )
    for name, tier in study.tiers.items():
        _check_tier(f"{path}: tiers.{name}", study, tier)


def _check_group(where: str, study: Study, group: CellGroup) -> None:
    names = [group.recipe] if isinstance(group.recipe, str) else group.recipe.values()
    for name in names:
        _known(where, "recipe", name, study.recipes)
    for protocol in group.protocol or study.protocols:
        _known(where, "protocol", protocol, study.protocols)
        if not isinstance(group.recipe, str):
            _known(where, "recipe for protocol", protocol, group.recipe)
    for framework in group.framework:
        _known(where, "framework", framework, study.images)
        _check_names(where, study, group, framework)
    if group.weights and group.weights.framework:
        _known(f"{where}.weights", "framework", group.weights.framework, study.images)
    for tier in study.tiers:
        _known(where, "estimate_s for tier", tier, group.estimate_s)
    for dataset in group.dataset or []:
        _known(where, "data set", dataset, study.datasets)
    for tier, parts in group.only.items():
        _known(where, "tier", tier, study.tiers)
        for part in parts:
            _check_part(f"{where}.only.{tier}", study, group, part)


def _check_names(where: str, study: Study, group: CellGroup, framework: str) -> None:
    """Techniques, variants and models, where the framework is one that lies here."""
    techniques = technique_files(framework)
    if not techniques:
        return
    for technique in group.technique:
        _known(where, f"{framework} technique", technique, techniques)
        for variant in group.variant or []:
            try:
                check_variant(framework, technique, variant)
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
    for model in group.model or [study.axes.model]:
        _known(where, "model", model, MODELS)


def _check_tier(where: str, study: Study, tier: Tier) -> None:
    for recipe, changes in tier.recipes.items():
        _known(f"{where}.recipes", "recipe", recipe, study.recipes)
        for key in changes:
            known = [*study.recipes[recipe], "longest_s"]
            _known(f"{where}.recipes.{recipe}", "key", key, known)
    for task in ("train", "quantize", "infer"):
        _known(f"{where}.timeout_s", "task", task, tier.timeout_s)


def _check_part(where: str, study: Study, group: CellGroup, part: Narrowing) -> None:
    """A tier takes some of a group's values; it adds none."""
    otherwise: dict[str, Collection[Any]] = {
        "protocol": study.protocols, "dataset": study.datasets, "model": [study.axes.model],
        "variant": [""],
        "batch_size": [study.axes.batch_size],
    }  # fmt: skip
    for axis in part.__struct_fields__:
        for value in getattr(part, axis) or []:
            _known(where, axis, value, getattr(group, axis) or otherwise.get(axis, []))


def _known(where: str, what: str, value: Any, accepted: Collection[Any]) -> None:
    if value not in accepted:
        raise InputError(
            f"{where}: no {what} {value!r}.{nearest(str(value), map(str, accepted))} "
            f"Accepted: {', '.join(map(str, accepted))}"
        )
