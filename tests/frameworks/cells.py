"""Single cells of any technique, really run as the local engine runs them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from manifests.cell import Cell
from manifests.codec import read_manifest
from manifests.manifest import Manifest
from orchestrator.datasets import digits
from orchestrator.datasets.pack import prepare
from tests.frameworks.conftest import ROOT

ADAM = {"optimizer": "adam", "epochs": 1, "train_images": 32, "test_images": 40,
        "learning_rate": 1e-4}  # fmt: skip
# 27 convolutions and 3 dense layers.
OPERATIONS = 30
INFER = {"warm_up_s": 0.0, "warm_up_count": 1, "measure_s": 0.0, "measure_count": 3}


class Bench(NamedTuple):
    """Runs cells of one model in an environment; ``data`` is a pack's folder."""

    python: Path
    folder: Path
    data: Path
    base: dict[str, Any]

    def cell(self, task: str, technique: str, recipe: dict[str, Any], **changes: Any) -> Cell:
        fields = {**self.base, "task": task, "technique": technique, "recipe": recipe}
        return Cell(**{**fields, **changes})

    def run(self, cell: Cell, parent: Manifest | None = None, **options: Any) -> Manifest:
        """The manifest of the cell; ``parent`` made its weights. Options go to subprocess."""
        if parent is not None:
            cell = msgspec.structs.replace(cell, weights_from=parent.id)
        place = self.folder / cell.id
        place.mkdir()
        (place / "cell.json").write_bytes(msgspec.json.encode(cell))
        command = [
            self.python, "-m", "runners", place / "cell.json", place, "--data", self.data,
        ]  # fmt: skip
        if parent is not None:
            command += ["--weights", self.folder / parent.id]
        subprocess.run(
            command, cwd=ROOT, check=False, stdout=subprocess.DEVNULL, timeout=900, **options
        )
        return read_manifest(place / "manifest.json")


def digits_bench(python: Path, folder: Path, model: str = "mobilenet-v1", size: int = 48) -> Bench:
    """PyTorch cells of ``model`` on the embedded digits."""
    data = prepare(digits.source(), size, folder / "cache", lambda what, done, of: None)
    base = {
        "study": "shafique2023", "framework": "pytorch", "model": model, "dataset": "digits",
        "image_size": size, "batch_size": 8, "seed": 0, "protocol": "rigorous", "tier": "quick",
    }  # fmt: skip
    return Bench(python, folder, data, base)


def ok(manifest: Manifest) -> Manifest:
    assert manifest.status == "ok", manifest.reason + manifest.error
    return manifest


def samples(manifest: Manifest, name: str, label: str = "") -> list[Any]:
    metric = manifest.metric(name, label)
    assert metric is not None, name
    return metric.samples


def proven(manifest: Manifest, kind: str) -> dict[str, int]:
    """The operations in the promised type, which have to be all there are."""
    proof = manifest.proof
    assert proof is not None and (proof.promised, proof.coverage) == (kind, 1.0)
    assert sum(proof.operations[kind].values()) == OPERATIONS
    return proof.operations[kind]
