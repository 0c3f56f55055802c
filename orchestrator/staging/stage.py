"""A folder with all that a plan's cells read: it is the cache of those who run them.

``staged.json`` in it has the SHA-256 of each file of packages, data and weights, so that a node can
check what it sees. Environments are made from the packages that lie there, without a network.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests import paths
from manifests.artifacts import file_sha256
from manifests.errors import InputError, MachineError
from manifests.files import write_atomically
from orchestrator.datasets import pretrained
from orchestrator.engines.base import Tell
from orchestrator.environments import venvs
from orchestrator.environments.images import Image, load_image
from orchestrator.messages import LogLine
from orchestrator.running.request import Prepared
from orchestrator.staging.wheels import fetch_wheels

LIST = "staged.json"
WHEELS = "wheels"
_KINDS = (WHEELS, "data", "pretrained")


class Need(NamedTuple):
    """What has to lie there, and how much disk and network that takes; 0 where it is there."""

    what: str
    disk_bytes: int
    download_bytes: int


class StagedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the folder, by its path in it."""

    path: str
    size_bytes: int
    sha256: str


class Staged(msgspec.Struct, frozen=True, kw_only=True):
    """``staged.json``."""

    schema: str = "repliquant/staged/1"
    study: str
    tier: str
    images: list[str]
    files: list[StagedFile]


def images_of(prepared: Prepared) -> list[Image]:
    """Of the cells that can run."""
    names = dict.fromkeys(one.image for one in prepared.chosen if not one.skip)
    return [load_image(name) for name in names]


def needs(prepared: Prepared) -> list[Need]:
    """What the cache lacks of a plan. Packed images are made of the downloads and take as much."""
    found = []
    for image in images_of(prepared):
        if venvs.ready(image) is None:
            fetched = image.file.download_mb * 10**6
            found.append(Need(image.name, image.file.disk_mb * 10**6 + fetched, fetched))
    data = prepared.plan.downloads_bytes
    if data:
        found.append(Need("data sets", 2 * data, data))
    cells = [one.cell for one in prepared.chosen if not one.skip]
    weights = sum(one.size_bytes or 0 for one in pretrained.to_fetch(cells, paths.cache()))
    if weights:
        found.append(Need("published weights", weights, weights))
    return found


def check_room(wanted: Iterable[Need], folder: Path) -> None:
    """Raises MachineError where the folder's disk has less than that free."""
    whole = sum(need.disk_bytes for need in wanted)
    above = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    free = shutil.disk_usage(above).free
    if free < whole:
        raise MachineError(
            f"{folder} has {free / 1e9:.1f} GB free, and this takes {whole / 1e9:.1f} GB. "
            "Free some, or give another folder"
        )


def stage(prepared: Prepared, folder: Path, tell: Tell) -> Staged:
    """Put it all there; what is there already is kept. Raises RepliquantError.

    ``folder`` has to be the cache of this process.
    """
    from orchestrator.datasets.packs import prepare_packs

    def progress(what: str, done: int, of: int) -> None:
        tell(LogLine(f"{what}: {done:,} of {of:,}", "detail", done, of))

    images = images_of(prepared)
    for image in images:
        wheels = fetch_wheels(image, folder / WHEELS, tell)
        with _without_network(wheels):
            venvs.build(image, tell)
        tell(LogLine(f"{image.name}: ready"))
    cells = [one.cell for one in prepared.chosen if not one.skip]
    pretrained.prepare_pretrained(cells, folder, progress)
    prepare_packs(prepared.plan, prepared.places, folder, progress)
    plan = prepared.plan
    files = list(_listed(folder, tell))
    names = [image.name for image in images]
    staged = Staged(study=plan.study, tier=plan.tier, images=names, files=files)
    write_atomically(folder / LIST, msgspec.json.encode(staged) + b"\n")
    return staged


@contextlib.contextmanager
def _without_network(wheels: Path) -> Iterator[None]:
    """pip takes what lies in that folder and nothing else."""
    before = dict(os.environ)
    os.environ.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(wheels))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _listed(folder: Path, tell: Tell) -> Iterator[StagedFile]:
    for kind in _KINDS:
        for path in sorted((folder / kind).rglob("*")):
            if path.is_file() and path.suffix != ".lock":
                tell(LogLine(f"hash of {path.name}", "detail"))
                yield StagedFile(
                    path=path.relative_to(folder).as_posix(),
                    size_bytes=path.stat().st_size,
                    sha256=file_sha256(path),
                )


def read_staged(folder: Path) -> Staged:
    """Raises InputError for a folder that nothing was staged in."""
    try:
        return msgspec.json.decode((folder / LIST).read_bytes(), type=Staged)
    except FileNotFoundError:
        raise InputError(
            f"{folder} has no {LIST}: nothing was staged there. "
            f"Run: repliquant stage STUDY {folder}"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(f"{folder / LIST} can't be used: {error}. Stage it again") from error


def faults(folder: Path, staged: Staged) -> list[str]:
    """What differs from the list as it is seen here, a line for each file or environment."""
    found = []
    for file in staged.files:
        path = folder / file.path
        if not path.is_file():
            found.append(f"{file.path} is missing")
        elif path.stat().st_size != file.size_bytes or file_sha256(path) != file.sha256:
            found.append(f"{file.path} is not what was staged")
    for name in staged.images:
        if venvs.ready(load_image(name)) is None:
            found.append(f"the environment {name} can't be used here")
    return found
