"""The types of a study's groups of cells, and of what a tier takes of them."""

from __future__ import annotations

from typing import Literal

import msgspec

from manifests.cell import Device, Protocol, Task


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
    feature: features.
    protocol: protocols.
    """

    framework: list[str] | None = None
    model: list[str] | None = None
    dataset: list[str] | None = None
    batch_size: list[int] | None = None
    technique: list[str] | None = None
    variant: list[str] | None = None
    feature: list[str] | None = None
    protocol: list[Protocol] | None = None


class CellGroup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cells that differ only along the listed axes: every combination of their values is a cell.

    task: train, quantize, infer or probe.
    framework: the frameworks; each is a folder of ``runners/``.
    technique: the techniques; each is a file in the framework's folder.
    recipe: the name of a recipe, several, or one by protocol.
    estimate_s: seconds that one cell takes, by tier, for the study's own model.
    model: the models; the axes' own unless given, as with all that follows.
    dataset: the data sets.
    own_dataset: a data set of its own that none of classes stands in for: one of captions, say.
    image_size: the sides of the pictures in pixels; those of the data sets unless given.
    batch_size: the batch sizes.
    seed: the seeds.
    device: cpu, gpu or both.
    variant: variants of its techniques; "" is what a technique does by itself.
    feature: what its probes probe, of manifests.features; "*" is every feature.
    protocol: the protocols.
    weights: the cell that each starts from.
    image: the environment; the framework's own unless given.
    environment: an image by which its cells differ from others: the same in other versions.
    instead: values that a tier has in place of these, by tier.
    only: the parts that a tier takes, by tier; no part leaves the group out.
    repeats: how many processes repeat each of its cells, by tier; unless given, those of inference
        as often as the tier says and others once.
    experiment: the part of the study that it belongs to, which runs by ``--experiment`` alone;
        without a name it is run by default.
    also: further parts that have its cells too, so that the same cell stands in the tables of each.
    """

    task: Task
    framework: list[str]
    technique: list[str]
    recipe: str | list[str] | dict[Protocol, str]
    estimate_s: dict[str, float]
    model: list[str] | None = None
    dataset: list[str] | None = None
    own_dataset: str = ""
    image_size: list[int] | None = None
    batch_size: list[int] | None = None
    seed: list[int] | None = None
    device: list[Device] | None = None
    variant: list[str] | None = None
    feature: list[str] | None = None
    protocol: list[Protocol] | None = None
    weights: WeightsFrom | None = None
    image: str | None = None
    environment: str = ""
    instead: dict[str, Instead] = {}
    only: dict[str, list[Narrowing]] = {}
    repeats: dict[str, int] = {}
    experiment: str = ""
    also: list[str] = []

    @property
    def experiments(self) -> list[str]:
        """Every part that has its cells; an empty name for what runs by default."""
        return [self.experiment, *self.also]

    def recipe_names(self) -> list[str]:
        """Of all its recipes."""
        if isinstance(self.recipe, str):
            return [self.recipe]
        return list(self.recipe if isinstance(self.recipe, list) else self.recipe.values())

    def recipes_for(self, protocol: Protocol) -> list[str]:
        """The names of a protocol's recipes: each gives a cell."""
        return [self.recipe[protocol]] if isinstance(self.recipe, dict) else self.recipe_names()

    def recipe_for(self, protocol: Protocol) -> str:
        """The name of the first."""
        return self.recipes_for(protocol)[0]

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
