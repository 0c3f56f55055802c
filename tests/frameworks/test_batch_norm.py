"""ResNet18 with BatchNorm through real techniques: what convolutions take in, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import INFER, Bench, digits_bench, ok, samples

pytestmark = pytest.mark.frameworks

SGD = {
    "epochs": 1, "train_images": 64, "test_images": 40, "learning_rate": 0.02, "momentum": 0.9,
    "weight_decay": 0.0, "clip_norm": 1.0, "warm_up": 0.0, "milestones": [], "decay": 0.1,
}  # fmt: skip
PTQ = {"calibration_images": 16, "test_images": 40}


def a_bench(python: Path, folder: Path, framework: str) -> Bench:
    bench = digits_bench(python, folder, "resnet18-bn", 16)
    return bench._replace(base={**bench.base, "framework": framework})


def made(bench: Bench, parent: Manifest, technique: str, task: str, recipe: Any) -> Manifest:
    return ok(bench.run(bench.cell(task, technique, recipe), parent))


def int8_throughout(cell: Manifest) -> None:
    assert cell.proof is not None
    assert (cell.proof.promised, cell.proof.coverage) == ("int8", 1.0), cell.proof
    assert samples(cell, "batch_norms_left") == [0]
    assert cell.metric("agreement") is not None


def test_pytorch_takes_it_in(images: dict[str, Path], tmp_path: Path) -> None:
    bench = a_bench(images["pytorch"], tmp_path, "pytorch")
    parent = ok(bench.run(bench.cell("train", "float32", SGD)))
    assert samples(parent, "batch_norms_left") == [20]
    for technique in ("ptq-eager", "ptq-fx"):
        int8_throughout(made(bench, parent, technique, "quantize", PTQ))
    aware = made(bench, parent, "qat-eager", "train", SGD)
    int8_throughout(aware)
    timed = made(bench, aware, "qat-eager", "infer", INFER)
    assert samples(timed, "batch_norms_left") == [0]


def test_tensorflow_takes_it_in(images: dict[str, Path], tmp_path: Path) -> None:
    bench = a_bench(images["tensorflow"], tmp_path, "tensorflow")
    parent = ok(bench.run(bench.cell("train", "float32", SGD)))
    int8_throughout(made(bench, parent, "ptq-tflite", "quantize", PTQ))
