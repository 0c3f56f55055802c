"""The types of ``study.toml``: axes, recipes, tiers, what is unspecified."""

from __future__ import annotations

import msgspec

from manifests.cell import Protocol, Scalar
from manifests.errors import InputError
from manifests.suggest import nearest
from papers.cell_group import CellGroup
from papers.ladders import Rung

DEFAULT = "default"
"""What people call the cells of no experiment."""


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
        named = (name for group in self.cells for name in group.experiments)
        return [name for name in dict.fromkeys(named) if name]

    def repeats(self, group: CellGroup, tier: str) -> int:
        """How many processes repeat each cell of a group."""
        return group.repeats.get(tier, self.tiers[tier].repeats if group.task == "infer" else 1)

    def image_names(self) -> list[str]:
        """Every environment that the study may need."""
        more = (name for names in self.gpu_images.values() for name in names)
        grouped = (name for group in self.cells for name in (group.image, group.environment))
        return list(dict.fromkeys([*self.images.values(), *more, *filter(None, grouped)]))

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
