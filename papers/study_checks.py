"""What types can't say of ``study.toml``: names that refer to one another, numbers JSON has."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import get_close_matches
from typing import Any

from manifests.cell import canonical_json
from manifests.errors import InputError
from manifests.features import ANY, FEATURES, features_of
from manifests.runner_files import check_variant, model_names, protocol_files
from papers.cell_group import CellGroup, Instead, Narrowing
from papers.ladders import ladders_of
from papers.mistakes import Mistake, Place, no_such
from papers.runner_names import recipe_keys, technique_names
from papers.study_types import DEFAULT, Study, Tier

_TASKS = ("train", "quantize", "infer")
PROBE = "probe"
"""A task that a study needs a time limit for only where it has such cells."""


def study_mistakes(place: Place, study: Study) -> Iterator[Mistake]:
    """In the order of the file, as far as it has one."""
    try:
        canonical_json([study.recipes, study.tiers])
    except ValueError:
        yield place.at("recipes").mistake(
            "recipes: nan and inf are not numbers that a cell can have"
        )
    folder = place.document.path.parent.name
    if study.id != folder:
        yield place.at("id").mistake(f"id: is {study.id!r}, but the folder is {folder!r}")
    if study.cells_of and not study.extends:
        yield place.at("cells_of").mistake("cells_of: only a study that extends another has it")
    for protocol in study.protocols:
        named = place.at("protocols", name="protocols")
        yield from named.unknown("protocol", protocol, list(protocol_files()))
    yield from _of_texts(place, study)
    yield from _of_images(place.at("images", name="images"), study)
    for index, group in enumerate(study.cells):
        name = f"cells[{index}] ({group.task} {', '.join(group.technique)})"
        yield from _of_group(place.at("cells", index, name=name), study, group)
    for name, tier in study.tiers.items():
        yield from _of_tier(place.at("tiers", name, name=f"tiers.{name}"), study, tier)
    yield from _of_ladder(place.at("ladder", name="ladder"), study)


def name_mistakes(place: Place, study: Study) -> Iterator[Mistake]:
    """Techniques and models that no runner here has, where the framework is one of those here."""
    for index, group in enumerate(study.cells):
        name = f"cells[{index}] ({group.task} {', '.join(group.technique)})"
        for framework in group.framework:
            yield from _of_names(place.at("cells", index, name=name), study, group, framework)


def _of_names(place: Place, study: Study, group: CellGroup, framework: str) -> Iterator[Mistake]:
    techniques = technique_names(framework)
    if not techniques:
        return
    for technique in group.technique:
        yield from place.at("technique").unknown(f"{framework} technique", technique, techniques)
        for variant in group.variant or []:
            try:
                check_variant(framework, technique, variant)
            except InputError as error:
                yield place.at("variant").mistake(str(error), variant)
    if _from_a_file(study, group) or group.task == PROBE:
        return  # of no network that has a name
    axes = Place(place.document, ("axes", "model"), "axes")
    named = place.at("model") if group.model else axes
    for model in group.model or [study.axes.model]:
        yield from named.unknown("model", model, model_names(framework))


def _from_a_file(study: Study, group: CellGroup) -> bool:
    """Whether its model is a person's own file, which no framework has to know."""
    return any("model_sha256" in study.recipes.get(name, {}) for name in group.recipe_names())


def _of_texts(place: Place, study: Study) -> Iterator[Mistake]:
    """What every study says of itself, and lists that have to have something in them."""
    for field in ("title", "where", "about"):
        if not getattr(study, field).strip():
            yield place.at(field).mistake(f"{field} is empty", remark=True)
    for field in ("protocols", "authors", "tiers", "cells"):
        if not getattr(study, field):
            yield place.at(field).mistake(f"{field} is empty")
    for index, author in enumerate(study.authors):
        if not author.strip():
            yield place.at("authors").mistake(f"author {index + 1} is empty", remark=True)


def _of_axes(place: Place, group: CellGroup) -> Iterator[Mistake]:
    axes = ("framework", "technique", "model", "dataset", "image_size", "batch_size", "seed",
            "device", "protocol")  # fmt: skip
    for axis in axes:
        values = getattr(group, axis)
        if values is not None and (not values or "" in values):
            yield place.at(axis).mistake(f"{axis} is empty, or has an empty entry")
    yield from _of_counts(place, group)


def _of_images(place: Place, study: Study) -> Iterator[Mistake]:
    """A framework that is here and that cells name, in whatever way its line is misspelt."""
    named = dict.fromkeys(framework for group in study.cells for framework in group.framework)
    for framework in named:
        if _lacks_an_image(study, framework):
            there = ", ".join(study.images) or "none"
            yield place.mistake(f"cells name {framework!r}, which has none. Has: {there}")


def _lacks_an_image(study: Study, framework: str) -> bool:
    return framework not in study.images and bool(technique_names(framework))


def _of_group(place: Place, study: Study, group: CellGroup) -> Iterator[Mistake]:
    yield from _of_axes(place, group)
    yield from _of_recipes(place.at("recipe"), study, group)
    yield from _of_experiments(place, group)
    for framework in group.framework:
        if not _lacks_an_image(study, framework):
            yield from place.at("framework").unknown("framework", framework, study.images)
    if group.weights and group.weights.framework:
        named = place.at("weights", name=f"{place.name}.weights")
        yield from named.unknown("framework", group.weights.framework, study.images)
    for tier in study.tiers:
        if not group.left_out(tier):
            yield from place.at("estimate_s").unknown("estimate_s for tier", tier, group.estimate_s)
    for tier in group.estimate_s:
        if tier not in study.tiers:
            yield from place.at("estimate_s").unknown("tier", tier, study.tiers)
    for dataset in group.dataset or []:
        yield from place.at("dataset").unknown("data set", dataset, study.datasets)
    yield from _of_features(place, group)
    if group.own_dataset and group.dataset:
        told = "dataset and own_dataset: a group has one or the other"
        yield place.at("own_dataset").mistake(told)
    yield from _of_tiers(place, study, group)


def _of_features(place: Place, group: CellGroup) -> Iterator[Mistake]:
    """Probes have features, and nothing else has."""
    if group.task != PROBE and group.feature is not None:
        yield place.at("feature").mistake(f"feature: only task {PROBE!r} has it")
    if group.task == PROBE and not group.feature:
        yield place.mistake(f"feature: task {PROBE!r} needs at least one; {ANY!r} is all of them")
    for feature in group.feature or []:
        yield from place.at("feature").unknown("feature", feature, [ANY, *FEATURES])


def _of_experiments(place: Place, group: CellGroup) -> Iterator[Mistake]:
    for field, names in (("experiment", [group.experiment]), ("also", group.also)):
        if DEFAULT in names:
            told = f"{field}: {DEFAULT!r} is what the cells of no experiment are called"
            yield place.at(field).mistake(told)
    for name in group.also:
        if not name or group.experiments.count(name) > 1:
            yield place.at("also").mistake(f"also: {name!r} is empty, or named twice")


def _of_tiers(place: Place, study: Study, group: CellGroup) -> Iterator[Mistake]:
    """What a group says by tier."""
    for tier, instead in group.instead.items():
        named = place.at("instead", tier, name=f"{place.name}.instead.{tier}")
        yield from named.unknown("tier", tier, study.tiers)
        yield from _of_counts(named, instead)
    for tier, repeats in group.repeats.items():
        named = place.at("repeats", tier, name=f"{place.name}.repeats")
        yield from named.unknown("tier", tier, study.tiers)
        if repeats < 1:
            yield named.mistake(f"{tier} = {repeats}: every cell has one process at least")
    for tier, parts in group.only.items():
        only = place.at("only", tier, name=f"{place.name}.only.{tier}")
        yield from only.unknown("tier", tier, study.tiers)
        for part in parts:
            yield from _of_part(only, study, group.of_tier(tier), part)


def _of_counts(place: Place, values: CellGroup | Instead) -> Iterator[Mistake]:
    """Sizes are 1 at least, and seeds no less than 0."""
    for axis, least in (("image_size", 1), ("batch_size", 1), ("seed", 0)):
        for value in getattr(values, axis) or ():
            if value < least:
                yield place.at(axis).mistake(f"{axis} {value}: {least} is the least")


def _of_recipes(place: Place, study: Study, group: CellGroup) -> Iterator[Mistake]:
    for name in group.recipe_names():
        yield from place.unknown("recipe", name, study.recipes)
    if not group.recipe_names():
        yield place.mistake("recipe is empty")
    for protocol in group.protocol or study.protocols:
        yield from place.unknown("protocol", protocol, study.protocols)
        if isinstance(group.recipe, dict):
            yield from place.unknown("recipe for protocol", protocol, group.recipe)


def _of_tier(place: Place, study: Study, tier: Tier) -> Iterator[Mistake]:
    for recipe, changes in tier.recipes.items():
        named = place.at("recipes", recipe, name=f"{place.name}.recipes")
        yield from named.unknown("recipe", recipe, study.recipes)
        known = [*study.recipes.get(recipe, {}), "longest_s"]
        for key in changes if recipe in study.recipes else ():
            yield from _of_recipe_key(named, recipe, key, known)
    probes = [PROBE] if any(group.task == PROBE for group in study.cells) else []
    for task in (*_TASKS, *probes):
        named = place.at("timeout_s", name=f"{place.name}.timeout_s")
        yield from named.unknown("task", task, tier.timeout_s)


def _of_recipe_key(place: Place, recipe: str, key: str, known: list[str]) -> Iterator[Mistake]:
    """A tier changes keys that the recipe has. Of two that differ, the one that no runner reads is
    the misspelt one.
    """
    if key in known:
        return
    strange = [name for name in known if name not in recipe_keys()]
    near = get_close_matches(key, strange, n=1, cutoff=0.5)
    if key in recipe_keys() and near:
        whole = Place(place.document, ("recipes", recipe, near[0]), f"recipes.{recipe}")
        yield whole.mistake(no_such("key", near[0], [key]))
        return
    named = place.at(key, name=f"{place.name}.{recipe}")
    yield named.mistake(no_such("key", key, known))


def recipe_mistakes(place: Place, study: Study) -> Iterator[Mistake]:
    """Keys that no runner reads, of recipes whose frameworks all have their runners here."""
    others = {
        name
        for group in study.cells
        if not all(technique_names(framework) for framework in group.framework)
        for name in group.recipe_names()
    }
    accepted = sorted(recipe_keys())
    for name, recipe in study.recipes.items():
        for key in recipe if name not in others else ():
            named = place.at("recipes", name, key, name=f"recipes.{name}")
            if key not in accepted:
                near = get_close_matches(key, accepted, n=1, cutoff=0.5)
                yield named.mistake(no_such("key", key, accepted), remark=not near)


def _of_part(place: Place, study: Study, group: CellGroup, part: Narrowing) -> Iterator[Mistake]:
    """A tier takes some of a group's values; it adds none."""
    otherwise: dict[str, Collection[Any]] = {
        "protocol": study.protocols, "dataset": study.datasets, "model": [study.axes.model],
        "batch_size": [study.axes.batch_size], "variant": [""],
    }  # fmt: skip
    for axis in part.__struct_fields__:
        for value in getattr(part, axis) or []:
            own = features_of(group.feature or []) if axis == "feature" else getattr(group, axis)
            accepted = own or otherwise.get(axis, [])
            yield from place.unknown(axis, value, accepted)


def _of_ladder(place: Place, study: Study) -> Iterator[Mistake]:
    for index, rung in enumerate(study.ladder):
        named = place.at(index, name=f"ladder[{index}]")
        for name in filter(None, (rung.framework, rung.after_framework)):
            yield from named.unknown("framework", name, study.images)
        if not rung.framework:
            yield named.mistake("framework is missing: whose technique is it?")
    circle = ladders_of(study.ladder).circle()
    if circle:
        told = " -> ".join(" ".join(node) for node in circle)
        yield place.mistake(f"rungs go in a circle: {told}")
