"""Which data set a run uses: by name, or whatever a folder turns out to hold."""

from __future__ import annotations

import re
from pathlib import Path

from manifests.select import nearest
from orchestrator.data import cifar10, digits, folders
from orchestrator.data.pack import Source, pack_folder
from orchestrator.errors import InputError

NAMES = ("digits", cifar10.NAME)


def source(name: str, data_dir: Path | None, cache: Path) -> Source:
    """The data set ``name``, taken from ``data_dir`` where one is given. Raises InputError."""
    if data_dir is not None:
        if cifar10.lies_in(data_dir):
            return cifar10.source(cache, data_dir, name)
        return folders.source(data_dir, name)
    if name == "digits":
        return digits.source()
    if name == "cifar10":
        return cifar10.source(cache)
    raise InputError(
        f"no data set {name!r}.{nearest(name, NAMES)} Accepted: {', '.join(NAMES)}, "
        "or a folder of images with --data-dir"
    )


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
        return cifar10.NAME if cifar10.is_official(data_dir) else cifar10.LOCAL_NAME
    name = _checked(dataset or data_dir.resolve().name)
    if name in (*NAMES, cifar10.LOCAL_NAME):
        raise InputError(
            f"{name!r} is the name of a known data set, and {data_dir} is a folder of images: "
            "give it another name with --dataset NAME"
        )
    return name


def download_bytes(name: str, data_dir: Path | None, cache: Path) -> int:
    """How much preparing ``name`` would fetch from the network."""
    if name != "cifar10" or data_dir is not None:
        return 0
    pack = pack_folder(cifar10.source(cache), cifar10.IMAGE_SIZE, cache)
    there = (cache / "downloads" / cifar10.ARCHIVE).exists() or pack.exists()
    return 0 if there else cifar10.SIZE_BYTES
