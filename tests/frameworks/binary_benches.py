"""Cells of one binary network in the environments of Brevitas and of Larq."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from manifests.artifacts import file_sha256
from manifests.codec import read_manifest, write_manifest
from manifests.manifest import Manifest
from runners.safetensors_file import NEUTRAL_FILE, read_arrays, write_arrays
from tests.frameworks.cells import Bench, digits_bench, ok
from tests.frameworks.conftest import ROOT, interpreter

LEARNS = {"optimizer": "adam", "epochs": 25, "train_images": 0, "test_images": 0,
          "learning_rate": 0.02, "falls_to": 0.01}  # fmt: skip
ONE_STEP = {**LEARNS, "epochs": 1, "train_images": 32, "test_images": 40}
QUANTIZE = {"calibration_images": 0, "test_images": 0}
_RUN = """
import sys
from runners.__main__ import main
sys.exit(main())
"""


class Both(NamedTuple):
    """Cells of one network in both environments, on one data pack and in one folder."""

    brevitas: Bench
    larq: Bench

    def trained(self, technique: str, recipe: dict[str, Any]) -> Manifest:
        return ok(self.brevitas.run(self.brevitas.cell("train", technique, recipe)))

    def exported(self, technique: str, parent: Manifest, **recipe: Any) -> Manifest:
        cell = self.brevitas.cell("quantize", technique, {**QUANTIZE, **recipe})
        return self.brevitas.run(cell, parent)

    def packed(self, technique: str, parent: Manifest, **recipe: Any) -> Manifest:
        cell = self.larq.cell("quantize", technique, {**QUANTIZE, **recipe})
        return self.larq.run(cell, parent)

    def changed(self, trained: Manifest, change: Callable[[dict[str, Any]], None]) -> Manifest:
        """The same training with weights that ``change`` made of its own."""
        arrays = read_arrays(self.brevitas.folder / trained.id / NEUTRAL_FILE)
        change(arrays)
        written = self.brevitas.folder / "changed.safetensors"
        write_arrays(written, arrays, {})
        return self.with_file(trained, NEUTRAL_FILE, written.read_bytes())

    def with_file(self, made: Manifest, name: str, content: bytes) -> Manifest:
        """The same cell with another file of that name; its manifest fits the files again."""
        folder = self.brevitas.folder
        seed = made.cell.seed + len(list(folder.iterdir()))
        cell = msgspec.structs.replace(made.cell, seed=seed)
        place = folder / cell.id
        shutil.copytree(folder / made.id, place)
        (place / name).write_bytes(content)
        (place / "manifest.json").unlink()
        artifacts = [
            msgspec.structs.replace(
                one,
                sha256=file_sha256(place / one.path),
                size_bytes=(place / one.path).stat().st_size,
            )
            for one in made.artifacts
        ]
        found = msgspec.structs.replace(made, id=cell.id, cell=cell, artifacts=artifacts)
        write_manifest(place / "manifest.json", found)
        return found


def both(folder: Path, model: str, size: int) -> Both:
    torch = digits_bench(interpreter("brevitas-cpu"), folder, model, size)
    base = {**torch.base, "batch_size": 32, "framework": "brevitas"}
    larq = torch._replace(python=interpreter("larq-cpu"), base={**base, "framework": "larq"})
    return Both(torch._replace(base=base), larq)


def run_after(bench: Bench, before: str, cell: Any, parent: Manifest | None = None) -> Manifest:
    """The cell's manifest, with the script ``before`` run in its process first."""
    if parent is not None:
        cell = msgspec.structs.replace(cell, weights_from=parent.id)
    place = bench.folder / f"changed-{cell.id}"
    place.mkdir()
    (place / "cell.json").write_bytes(msgspec.json.encode(cell))
    weights = [] if parent is None else ["--weights", bench.folder / parent.id]
    subprocess.run(
        [bench.python, "-c", before + _RUN, place / "cell.json", place, "--data", bench.data,
         *weights],
        cwd=ROOT, check=False, capture_output=True, timeout=300,
    )  # fmt: skip
    return read_manifest(place / "manifest.json")


def operations(manifest: Manifest) -> dict[str, dict[str, int]]:
    assert manifest.proof is not None
    return manifest.proof.operations
