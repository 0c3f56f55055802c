"""The types of ``study.toml``: axes, recipes, tiers, cells, what is unspecified."""

from __future__ import annotations

from typing import Literal

import msgspec

from manifests.cell import Device, Protocol, Scalar, Task
from manifests.errors import InputError
from manifests.suggest import nearest
from papers.ladders import Rung

DEFAULT = "default"
"""What people call the cells of no experiment."""


class WeightsFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The cell to start from: of the same model, data set and image size.

    task: what made the weights: train or quantize.
    framework: its framework; this cell's own unless given.
    technique: its technique; this cell's own unless given.
    variant: its variant; this cell's own unless given, where the technique is its own too.
    image_size: its image size, or "any" for a network whose weights fit every size: of this cell's
        own size where there is one, else of another.
    batch_size: chooses among several.
    trained_with: the technique of the training before it; chooses among several.
    """

    task: Task
    framework: str | None = None
    technique: str | None = None
    variant: str | None = None
    image_size: int | Literal["any"] | None = None
    batch_size: int | None = None
    trained_with: str | None = None


class Instead(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tier has in place of a group's own values.

    image_size: image sizes.
    batch_size: batch sizes.
    seed: seeds.
    """

    image_size: list[int] | None = None
    batch_size: list[int] | None = None
    seed: list[int] | None = None


class Narrowing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a group's axes: the values of each that are taken, all where none are given.

    framework: frameworks.
    model: models.
    dataset: data sets.
    batch_size: batch sizes.
    technique: techniques.
    variant: variants.
    protocol: protocols.
    """

    framework: list[str] | None = None
    model: list[str] | None = None
    dataset: list[str] | None = None
    batch_size: list[int] | None = None
    technique: list[str] | None = None
    variant: list[str] | None = None
    protocol: list[Protocol] | None = None


class CellGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cells that differ only along the listed axes: every combination of their values is a cell.

    task: train, quantize or infer.
    framework: the frameworks; each is a folder of ``runners/``.
    technique: the techniques; each is a file in the framework's folder.
    recipe: the name of a recipe, or one by protocol.
    estimate_s: seconds that one cell takes, by tier, for the study's own model.
    model: the models; the axes' own unless given, as with all that follows.
    dataset: the data sets.
    image_size: the sides of the pictures in pixels; those of the data sets unless given.
    batch_size: the batch sizes.
    seed: the seeds.
    device: cpu, gpu or both.
    variant: variants of its techniques; "" is what a technique does by itself.
    protocol: the protocols.
    weights: the cell that each starts from.
    image: the environment; the framework's own unless given.
    instead: values that a tier has in place of these, by tier.
    only: the parts that a tier takes, by tier; no part leaves the group out.
    repeats: how many processes repeat each of its cells, by tier; unless given, those of inference
        as often as the tier says and others once.
    experiment: the part of the study that it belongs to, which runs by ``--experiment`` alone;
        without a name it is run by default.
    """

    task: Task
    framework: list[str]
    technique: list[str]
    recipe: str | dict[Protocol, str]
    estimate_s: dict[str, float]
    model: list[str] | None = None
    dataset: list[str] | None = None
    image_size: list[int] | None = None
    batch_size: list[int] | None = None
    seed: list[int] | None = None
    device: list[Device] | None = None
    variant: list[str] | None = None
    protocol: list[Protocol] | None = None
    weights: WeightsFrom | None = None
    image: str | None = None
    instead: dict[str, Instead] = {}
    only: dict[str, list[Narrowing]] = {}
    repeats: dict[str, int] = {}
    experiment: str = ""

    def recipe_for(self, protocol: Protocol) -> str:
        """The name of the recipe."""
        return self.recipe if isinstance(self.recipe, str) else self.recipe[protocol]

    def of_tier(self, tier: str) -> CellGroup:
        """The group with the tier's values in place of its own."""
        return _with(self, self.instead[tier]) if tier in self.instead else self

    def parts(self, tier: str) -> list[CellGroup]:
        """What the tier takes of the group, each part a group of its own."""
        group = self.of_tier(tier)
        if tier not in self.only:
            return [group]
        return [_with(group, part) for part in self.only[tier]]

    def left_out(self, tier: str) -> bool:
        """Whether the tier takes nothing of the group."""
        return self.only.get(tier) == []


def _with(group: CellGroup, part: Instead | Narrowing) -> CellGroup:
    given = {name: getattr(part, name) for name in part.__struct_fields__}
    taken = {name: values for name, values in given.items() if values is not None}
    return msgspec.structs.replace(group, **taken)


class Axes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every cell has unless its group says otherwise.

    model: the model.
    image_size: the side of the pictures in pixels.
    batch_size: images in a batch.
    seed: where random numbers start.
    """

    model: str
    image_size: int
    batch_size: int
    seed: int


class DataSlot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A data set of the paper.

    image_size: the side of its pictures there, in pixels.
    """

    image_size: int


class Tier(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much of the recipe is spent.

    about: one sentence; {data} and {chance} in it are the images of a run and the accuracy of
        guessing there.
    repeats: how many processes repeat each inference cell, where its group doesn't say.
    timeout_s: seconds after which a cell is stopped, by task.
    dataset: what stands in for the paper's own data sets; none where it is empty.
    recipes: what changes of the recipes, by name.
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
    """What the paper leaves open.

    what: what it is.
    choice: what was chosen.
    why: the reason.
    """

    what: str
    choice: str
    why: str


class Used(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the paper's numbers come from; a verdict names what of it differs here.

    hardware: names of GPUs or processors, of which a machine's has to contain one; none where the
        paper doesn't say.
    datasets: the data sets.
    tier: the tier with the paper's recipes.
    versions: the beginning of each package's version; none where the paper doesn't say.
    """

    hardware: list[str] = []
    datasets: list[str] = []
    tier: str = "paper"
    versions: dict[str, str] = {}


class Study(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A paper made runnable.

    id: the name of its folder.
    title: the paper's title.
    authors: its authors.
    year: when it appeared.
    where: where it appeared.
    about: what is compared, in one sentence.
    protocols: how numbers are taken: rigorous, as-published or both.
    axes: what every cell has unless its group says otherwise.
    images: the environment of each framework.
    recipes: numbers by name, as published.
    tiers: how much of the recipes is spent.
    cells: groups of cells, those that others start from first.
    unspecified: what the paper leaves open.
    datasets: the paper's data sets, where it has several.
    gpu_images: environments for a GPU by framework, the preferred first.
    effort: how much longer another model than the axes' own takes, as a factor.
    extends: the study that this one is laid over: what is given here replaces or adds.
    cells_of: the study that cells are named after; of an overlay the one that it extends.
    ladder: rungs beside those of the frameworks: how speedups are taken apart.
    used: what the paper's numbers come from.
    """

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
    extends: str = ""
    cells_of: str = ""
    ladder: list[Rung] = []
    used: Used = Used()

    @property
    def cell_study(self) -> str:
        """What its cells have as their study: cells that an overlay shares are the same cells."""
        return self.cells_of or self.id

    def sizes(self) -> dict[str, int]:
        """Image sizes by the name of the data set; an empty name where the study has one set."""
        if not self.datasets:
            return {"": self.axes.image_size}
        return {name: slot.image_size for name, slot in self.datasets.items()}

    def experiments(self) -> list[str]:
        """The parts that run by their name alone."""
        return list(dict.fromkeys(group.experiment for group in self.cells if group.experiment))

    def repeats(self, group: CellGroup, tier: str) -> int:
        """How many processes repeat each cell of a group."""
        return group.repeats.get(tier, self.tiers[tier].repeats if group.task == "infer" else 1)

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
