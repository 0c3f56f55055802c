"""A small trained network and the .tflite files that TensorFlow's cells make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from manifests.cell import Cell
from manifests.manifest import Manifest
from tests.frameworks.cells import Bench, digits_bench, ok
from tests.frameworks.conftest import interpreter

SGD = {
    "epochs": 1, "train_images": 128, "test_images": 40, "learning_rate": 0.05, "momentum": 0.9,
    "weight_decay": 5e-4, "clip_norm": 1.0, "warm_up": 0.1, "milestones": [], "decay": 0.1,
}  # fmt: skip
QUANTIZE = {"calibration_images": 16, "test_images": 40}
# Of ResNet18: 20 convolutions and the head.
PRODUCTS = 21
HANDMADE = "0" * 12
"""The id of a folder that no cell made."""


class Family(NamedTuple):
    """TensorFlow's bench, the training, its float32 and its int8 file."""

    bench: Bench
    trained: Manifest
    float32: Manifest
    int8: Manifest

    def beside(self, image: str, **base: Any) -> Bench:
        """A bench of another environment that finds these cells."""
        return self.bench._replace(python=interpreter(image), base={**self.bench.base, **base})

    def content(self, manifest: Manifest) -> bytes:
        return (self.bench.folder / manifest.id / "model.tflite").read_bytes()


def make_family(folder: Path) -> Family:
    """Four cells, really run."""
    bench = digits_bench(interpreter("tensorflow-cpu"), folder, "resnet18", 16)
    bench = bench._replace(base={**bench.base, "framework": "tensorflow"})
    trained = ok(bench.run(bench.cell("train", "float32", SGD)))
    made = [
        ok(bench.run(bench.cell("quantize", technique, QUANTIZE), trained))
        for technique in ("tflite-float32", "ptq-tflite")
    ]
    return Family(bench, trained, *made)


def run_on(bench: Bench, cell: Cell, content: bytes, parent: Manifest) -> Manifest:
    """The cell started from a folder with that file alone, as a person may have put it together."""
    place = bench.folder / HANDMADE
    place.mkdir(exist_ok=True)
    (place / "model.tflite").write_bytes(content)
    return bench.run(cell, msgspec.structs.replace(parent, id=HANDMADE))
