"""Which data sets a run uses: by name, or whatever a folder or an archive turns out to hold."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from manifests import paths
from manifests.errors import InputError
from orchestrator.datasets import archives, downloads, folders, samples, sets
from orchestrator.datasets.pack import Source, known_pack


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
    for slot in slots:
        known = sets.data_set(slot).found_in(data_dir) if slot in sets.names() else None
        # The folder itself is one data set among several only beside others.
        if known is not None and (known != data_dir or found):
            found[slot] = known
    return found


def source(name: str, data_dir: Path | None, cache: Path) -> Source:
    """The data set ``name``, taken from ``data_dir`` where one is given. Raises InputError."""
    if data_dir is not None:
        return _local(name, data_dir, cache)
    return sets.data_set(name).source(cache)


def _local(name: str, place: Path, cache: Path) -> Source:
    known = _recognised(place)
    if known is not None:
        return known.source(cache, place, name)
    if samples.is_samples(place):
        return samples.source(place, name, cache)
    if archives.is_archive(place):
        return archives.source(place, name, cache=cache)
    return folders.source(place, name, cache)


def _recognised(place: Path) -> sets.DataSet | None:
    """The data set that lies in ``place`` as its publisher has it."""
    return next((one for one in sets.data_sets() if one.recognises(place)), None)


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
    known = _recognised(data_dir)
    if known is not None:
        return known.name_in(data_dir, paths.cache())
    own = archives.name_of(data_dir) if archives.is_archive(data_dir) else data_dir.resolve().name
    own = data_dir.stem if samples.is_samples(data_dir) else own
    name = _checked(dataset or own)
    if any(name in known.names for known in sets.data_sets()):
        raise InputError(
            f"{name!r} is the name of a known data set, and {data_dir} is a folder of images: "
            "give it another name, its own or with --dataset NAME"
        )
    return name


def download_bytes(name: str, data_dir: Path | None, cache: Path) -> int:
    """How much preparing ``name`` would fetch from the network."""
    known = sets.data_set(name) if data_dir is None and name in sets.names() else None
    fetched = known.remote() if known else None
    if known is None or fetched is None:
        return 0
    remote, image_size = fetched
    pack = known_pack(known.source(cache), image_size, cache)
    here = downloads.there(remote, cache / "downloads") or (pack is not None and pack.exists())
    return 0 if here else remote.size_bytes or 0
