"""What a plan says of its images: how many, of how many classes, and what was done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from manifests.cell import Cell
from manifests.codec import UnreadableError
from manifests.manifest import Dataset
from manifests.plan import Plan
from orchestrator.datasets import names, sets
from orchestrator.datasets.pack import Source, known_pack, read_meta

Packed = Mapping[tuple[str, int], Path]
_Find = Callable[[str, int], Path | None]
_USES = {
    "train_images": ("train", "train on"),
    "calibration_images": ("train", "calibrate with"),
    "test_images": ("test", "test on"),
}


def chance(classes: int) -> str:
    """The accuracy of guessing."""
    return f"{100 / classes:.3g} %" if classes else "unknown"


def described(plan: Plan, sources: Mapping[str, Source], own: Iterable[str]) -> Plan:
    """The plan with titles that say what its images are; ``own`` are the person's own sets."""
    own = list(own)
    shown = plan.dataset.split(" + ")
    title = " + ".join(_title(sources[name]) if name in own else name for name in shown)
    levels = dict.fromkeys(chance(len(sources[name].classes)) for name in shown)
    about = plan.tier_about.replace("{data}", " and ".join(_phrase(n) for n in shown))
    return msgspec.structs.replace(
        plan,
        dataset_title=title if own else "",
        tier_about=about.replace("{chance}", " and ".join(levels)),
    )


def _phrase(name: str) -> str:
    return sets.data_set(name).phrase if name in sets.names() else name


def _title(source: Source) -> str:
    """ "pets (320 images, 2 classes, chance 50 %)"."""
    count = sum(source.counts.values())
    images = f"{count:,} images, " if count else ""
    if not source.classes:
        return f"{source.name} ({images}no labels)"
    return f"{source.name} ({images}{len(source.classes)} classes, {_chance(source)})"


def _chance(source: Source) -> str:
    return f"chance {chance(len(source.classes))}"


def planned(plan: Plan, sources: Mapping[str, Source], own: Iterable[str], cache: Path) -> Plan:
    """The plan with what has to be known of its images, as far as they have been read before."""
    return _noted(plan, sources, own, lambda name, size: known_pack(sources[name], size, cache))


def packed(plan: Plan, sources: Mapping[str, Source], own: Iterable[str], packs: Packed) -> Plan:
    """The same of images that have just been read; ``packs`` by name and size."""
    return _noted(plan, sources, own, lambda name, size: packs.get((name, size)))


def _noted(plan: Plan, sources: Mapping[str, Source], own: Iterable[str], find: _Find) -> Plan:
    cells = [one.cell for one in plan.cells]
    own = list(own)
    notes = [note for name in own for note in _notes(name, sources[name], cells, find)]
    for name in set(sources) - set(own):
        notes += [f"{name}: {meta.uniform}" for meta in _metas(name, cells, find)
                  if meta.uniform]  # fmt: skip
    return msgspec.structs.replace(plan, dataset_notes=list(dict.fromkeys(notes)))


def _notes(name: str, source: Source, cells: list[Cell], find: _Find) -> list[str]:
    found = []
    metas = _metas(name, cells, find)
    counts = dict(source.counts)
    for meta in metas:
        counts = {split: part.count for split, part in meta.splits.items()}
        found += [resized(meta), _uniform(meta)]
    found += _too_few(name, counts, cells)
    if metas and metas[0].converted:
        found.append(f"{name}: {names.words(metas[0].converted)}")
    if source.passed_over:
        found.append(f"{name}, passed over: {names.words(source.passed_over)}")
    return [note for note in found if note]


def _metas(name: str, cells: list[Cell], find: _Find) -> list[Dataset]:
    """Of the packs that are there."""
    sizes = dict.fromkeys(cell.image_size for cell in cells if cell.dataset == name)
    found = []
    for size in sizes:
        folder = find(name, size)
        try:
            found += [read_meta(folder)] if folder else []
        except (UnreadableError, OSError):
            continue
    return found


def _uniform(meta: Dataset) -> str:
    return f"{meta.name}: nothing can be learnt: {meta.uniform}" if meta.uniform else ""


def resized(meta: Dataset) -> str:
    """ "pets: shrunk from 160 x 160 to 32 x 32"; empty where no size changed."""
    sizes = [
        (int(width), int(height))
        for width, _, height in (text.partition(" x ") for text in meta.resized_from)
        if width.isdigit() and height.isdigit()
    ]
    if not sizes:
        return ""
    target = meta.image_size
    smallest, largest = min(min(s) for s in sizes), max(max(s) for s in sizes)
    how = "shrunk" if smallest >= target else "enlarged" if largest <= target else "resized"
    stretched = ", stretched to a square" if any(w != h for w, h in sizes) else ""
    return f"{meta.name}: {how} from {_span(sizes)} to {target} × {target}{stretched}"


def _span(sizes: list[tuple[int, int]]) -> str:
    """The smallest and the largest of the frequent sizes, by area."""
    by_area = sorted(sizes, key=lambda size: size[0] * size[1])
    words = [f"{width} × {height}" for width, height in (by_area[0], by_area[-1])]
    return words[0] if len(sizes) == 1 else f"sizes such as {words[0]} and {words[1]}"


def _too_few(name: str, counts: Mapping[str, int], cells: list[Cell]) -> list[str]:
    """Where recipes want more images than there are: all there are are used."""
    wanted: dict[str, int] = {}
    for cell in cells:
        for key in _USES if cell.dataset == name else ():
            number = cell.recipe.get(key)
            if isinstance(number, int):
                wanted[key] = max(wanted.get(key, 0), number)
    found = []
    for key, number in wanted.items():
        split, use = _USES[key]
        have = counts.get(split)
        if have is not None and number > have:
            found.append(
                f"{name}: the recipe wants {number:,} images to {use} and there are {have:,}: all "
                "of them are used"
            )
    return found + _small_batches(name, counts, cells)


def _small_batches(name: str, counts: Mapping[str, int], cells: list[Cell]) -> list[str]:
    """Batches larger than the split that they are taken from."""
    found = []
    for split, tasks in (("train", ("train",)), ("test", ("infer",))):
        batches = [c.batch_size for c in cells if c.dataset == name and c.task in tasks]
        have = counts.get(split)
        if have is not None and batches and max(batches) > have:
            found.append(
                f"{name}: batches of more than {have:,} images repeat those of the {split} split"
            )
    return found
