"""The packs of a plan: each of its data sets at each of its image sizes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from manifests.cell import Cell, sha256_hex
from manifests.plan import Plan
from orchestrator.datasets import catalogue
from orchestrator.datasets.pack import Progress, pack_digest, prepare, read_meta


class Packs(NamedTuple):
    """Folders by data set and image size, and the hash of each pack by what it is."""

    folders: Mapping[tuple[str, int], Path]
    digests: dict[str, str]

    def folder_of(self, cell: Cell) -> Path:
        """The pack that the cell reads."""
        return self.folders[cell.dataset, cell.image_size]

    @property
    def sha256(self) -> str:
        """One hash over all packs; of a single pack its own."""
        if len(self.digests) == 1:
            return next(iter(self.digests.values()))
        return sha256_hex("".join(f"{k}:{v};" for k, v in sorted(self.digests.items())).encode())


def prepare_packs(plan: Plan, places: Mapping[str, Path], cache: Path, progress: Progress) -> Packs:
    """Make what the cache lacks. ``places``: where a data set lies. Raises RepliquantError."""
    folders: dict[tuple[str, int], Path] = {}
    digests: dict[str, str] = {}
    for planned in plan.cells:
        name, size = key = (planned.cell.dataset, planned.cell.image_size)
        if key not in folders:
            source = catalogue.source(name, places.get(name), cache)
            folders[key] = prepare(source, size, cache, progress)
            digests[f"{name} at {size} x {size}"] = pack_digest(read_meta(folders[key]))
    return Packs(folders, digests)
