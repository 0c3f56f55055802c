"""Which data sets a run uses: by name, or whatever a folder or an archive turns out to hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from manifests import paths
from manifests.errors import InputError
from manifests.select import nearest
from orchestrator.datasets import archives, cats_vs_dogs, cifar10, digits, downloads, folders
from orchestrator.datasets.downloads import Remote
from orchestrator.datasets.pack import Source, known_pack

NAMES = ("digits", cifar10.NAME, cats_vs_dogs.NAME)


class DataChoice(NamedTuple):
    """``dataset`` stands in for every data set of the study but those named in ``by_slot``.

    ``places`` says where a data set lies, by its name; without a place it is embedded or fetched.
    """

    dataset: str
    by_slot: Mapping[str, str]
    places: Mapping[str, Path]

    def name_of(self, slot: str) -> str:
        return self.by_slot.get(slot) or self.dataset or slot


def choose(
    slots: list[str], data_dir: Path | None, dataset: str | None, default: str
) -> DataChoice:
    """What a person's ``data_dir`` and ``dataset`` mean for a study's data sets ``slots``.

    A folder that holds one folder or archive for each data set gives each its own; anything else
    stands in for all. Raises InputError.
    """
    own = _own_places(slots, data_dir) if data_dir and not dataset else {}
    if own:
        by_slot = {slot: name_of(path, None, "") for slot, path in own.items()}
        return DataChoice(default, by_slot, {by_slot[slot]: own[slot] for slot in own})
    name = name_of(data_dir, dataset, default)
    return DataChoice(name, {}, {name: data_dir} if data_dir else {})


def _own_places(slots: list[str], data_dir: Path) -> dict[str, Path]:
    """The folder or archive in ``data_dir`` whose name begins like each data set's."""
    found: dict[str, Path] = {}
    if not data_dir.is_dir():
        return found
    for slot in filter(None, slots):
        for path in sorted(data_dir.iterdir()):
            if path.name.startswith(slot) and (path.is_dir() or archives.is_archive(path)):
                found.setdefault(slot, path)
    filtered = data_dir / cats_vs_dogs.ARCHIVE
    if cats_vs_dogs.NAME in slots and filtered.is_file():
        found[cats_vs_dogs.NAME] = filtered
    if found and cifar10.NAME in slots and cifar10.lies_in(data_dir):
        found[cifar10.NAME] = data_dir
    return found


def source(name: str, data_dir: Path | None, cache: Path) -> Source:
    """The data set ``name``, taken from ``data_dir`` where one is given. Raises InputError."""
    if data_dir is not None:
        return _local(name, data_dir, cache)
    if name == "digits":
        return digits.source()
    if name == cifar10.NAME:
        return cifar10.source(cache)
    if name == cats_vs_dogs.NAME:
        return cats_vs_dogs.source(cache)
    raise InputError(
        f"no data set {name!r}.{nearest(name, NAMES)} Accepted: {', '.join(NAMES)}, "
        "or images with --data-dir"
    )


def _local(name: str, place: Path, cache: Path) -> Source:
    if archives.is_archive(place):
        if name == cats_vs_dogs.NAME:
            return cats_vs_dogs.source(cache, place)
        return archives.source(place, name, cache=cache)
    if cifar10.lies_in(place):
        return cifar10.source(cache, place, name)
    return folders.source(place, name, cache)


def _checked(name: str) -> str:
    """A name that can be part of a folder's. Raises InputError."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", name):
        raise InputError(
            f"{name!r} can't be the name of a data set: letters, digits, '.', '_' and '-' are "
            "accepted. Give it one with --dataset NAME"
        )
    return name


def name_of(data_dir: Path | None, dataset: str | None, default: str) -> str:
    """The name that cells carry: as asked, else the folder's, else the tier's default.

    The names of the known sets are kept for what is known to be them.
    """
    if data_dir is None:
        return _checked(dataset) if dataset else default
    if cifar10.lies_in(data_dir):
        return cifar10.NAME if cifar10.is_official(data_dir, paths.cache()) else cifar10.LOCAL_NAME
    if cats_vs_dogs.is_official(data_dir):
        return cats_vs_dogs.NAME
    own = archives.name_of(data_dir) if archives.is_archive(data_dir) else data_dir.resolve().name
    name = _checked(dataset or own)
    if name in (*NAMES, cifar10.LOCAL_NAME):
        raise InputError(
            f"{name!r} is the name of a known data set, and {data_dir} is a folder of images: "
            "give it another name, its own or with --dataset NAME"
        )
    return name


def download_bytes(name: str, data_dir: Path | None, cache: Path) -> int:
    """How much preparing ``name`` would fetch from the network."""
    if data_dir is not None or name not in (cifar10.NAME, cats_vs_dogs.NAME):
        return 0
    if name == cats_vs_dogs.NAME:
        return _to_fetch(cats_vs_dogs.source(cache), 128, cats_vs_dogs.remote(), cache)
    return _to_fetch(cifar10.source(cache), cifar10.IMAGE_SIZE, cifar10.remote(), cache)


def _to_fetch(source: Source, image_size: int, remote: Remote, cache: Path) -> int:
    pack = known_pack(source, image_size, cache)
    here = downloads.there(remote, cache / "downloads") or (pack is not None and pack.exists())
    return 0 if here else remote.size_bytes or 0
