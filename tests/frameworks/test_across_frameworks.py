"""A cell that starts from another framework's training, and variants of a technique."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import ADAM, INFER, Bench, digits_bench
from tests.frameworks.conftest import ROOT

pytestmark = pytest.mark.frameworks

SGD = {
    "epochs": 1, "train_images": 64, "test_images": 40, "learning_rate": 0.02, "momentum": 0.9,
    "weight_decay": 0.0, "clip_norm": 1.0, "warm_up": 0.0, "milestones": [], "decay": 0.1,
}  # fmt: skip
LONGER = {**ADAM, "train_images": 128, "epochs": 2, "learning_rate": 1e-3}
PTQ = {"calibration_images": 16, "test_images": 40}
FLOAT = {"pytorch": "float32", "tensorflow": "signature"}
LOGITS = """
import sys, numpy as np
from pathlib import Path
from manifests.cell import Cell
from manifests.codec import read_struct
from runners.data import Data
from runners.events import Emitter
from runners.job import Job
from runners.starting_weights import Weights
place, data, parent, to = map(Path, sys.argv[1:])
cell = read_struct(place / "cell.json", Cell)
job = Job(cell, place, Data(data), Weights(parent), 1, Emitter(None))
images = job.data.normalise(job.data.test(40).images)
"""
ASK = {
    "pytorch": """
import torch
from runners.pytorch.parts.models import trained_model
with torch.inference_mode():
    found = trained_model(job)(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
np.save(to, found)
""",
    "tensorflow": """
from runners.tensorflow.parts import setup
import tensorflow as tf
from runners.tensorflow.parts.models import trained_model
model = trained_model(job)
if model.layers[-1].name == "softmax":  # the loss's softmax is part of these models
    model = tf.keras.Model(model.input, model.layers[-2].output)
np.save(to, np.asarray(model(images, training=False)))
""",
}


def benches(images: dict[str, Path], folder: Path, model: str, size: int) -> dict[str, Bench]:
    """One for each framework, over the same folder."""
    own = digits_bench(images["pytorch"], folder, model, size)
    other = own._replace(python=images["tensorflow"], base={**own.base, "framework": "tensorflow"})
    return {"pytorch": own, "tensorflow": other}


def logits(bench: Bench, cell: Manifest, parent: Manifest) -> np.ndarray[Any, Any]:
    """Of the model that the cell's framework builds from the parent's weights."""
    framework = cell.cell.framework
    to = bench.folder / f"{cell.id}-{parent.id}.npy"
    subprocess.run(
        [bench.python, "-c", LOGITS + ASK[framework], bench.folder / cell.id, bench.data,
         bench.folder / parent.id, to],
        check=True, cwd=ROOT, capture_output=True,
    )  # fmt: skip
    found: np.ndarray[Any, Any] = np.load(to)
    return found


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("model", "size", "recipe", "trained_in"),
    [
        ("resnet18", 16, SGD, "pytorch"),
        ("resnet18", 16, SGD, "tensorflow"),
        pytest.param("mobilenet-v1", 48, ADAM, "pytorch", marks=pytest.mark.thorough),
    ],
)
def test_a_cell_infers_from_what_another_framework_trained(
    images: dict[str, Path], tmp_path: Path, model: str, size: int, recipe: Any, trained_in: str
) -> None:
    both = benches(images, tmp_path, model, size)
    other = next(name for name in both if name != trained_in)
    parent = both[trained_in].run(both[trained_in].cell("train", "float32", recipe))
    assert parent.status == "ok", parent.reason
    assert "weights.safetensors" in [item.path for item in parent.artifacts]
    assert parent.artifacts[0].path != "weights.safetensors"
    own, strange = (
        both[name].run(both[name].cell("infer", FLOAT[name], INFER), parent)
        for name in (trained_in, other)
    )
    assert (own.status, strange.status) == ("ok", "ok"), (own.reason, strange.reason)
    assert strange.inputs.weights == f"cell {parent.id}"
    assert strange.inputs.weights_manifest_sha256 == own.inputs.weights_manifest_sha256
    ours, theirs = logits(both[trained_in], own, parent), logits(both[other], strange, parent)
    largest = float(np.abs(ours - theirs).max())
    if model == "resnet18":  # so little training leaves the other with one answer to everything
        # What tells pictures apart is larger by far than what tells frameworks apart.
        assert float(np.ptp(ours, axis=0).max()) > 30 * largest
    assert largest <= 1e-3 * float(np.abs(ours).max())
    assert float(np.mean(ours.argmax(1) == theirs.argmax(1))) >= 0.95


SCALES = """
import json, sys, torch
states = [torch.load(path, weights_only=True) for path in sys.argv[1:]]
print(json.dumps([{k: float(v) for k, v in s.items() if k.endswith(".scale")} for s in states]))
"""


@pytest.mark.parametrize(
    "technique", [pytest.param("ptq-eager", marks=pytest.mark.thorough), "ptq-fx"]
)
def test_variants_calibrate_differently(
    images: dict[str, Path], tmp_path: Path, technique: str
) -> None:
    bench = digits_bench(images["pytorch"], tmp_path, "resnet18", 16)
    parent = bench.run(bench.cell("train", "float32", SGD))
    made = [
        bench.run(bench.cell("quantize", technique, PTQ, variant=variant), parent)
        for variant in ("", "minmax")
    ]
    assert [m.status for m in made] == ["ok", "ok"], [m.reason for m in made]
    assert {m.proof.coverage for m in made if m.proof} == {1.0}
    paths = [tmp_path / m.id / "weights.pt" for m in made]
    done = subprocess.run(
        [bench.python, "-c", SCALES, *paths], check=True, capture_output=True, text=True
    )
    histogram, minmax = json.loads(done.stdout)
    assert histogram.keys() == minmax.keys() and len(minmax) > 15
    # A histogram cuts off what is rare, so that its steps are never coarser, and mostly finer.
    assert all(histogram[name] <= minmax[name] * 1.001 for name in minmax)
    assert sum(histogram[name] < minmax[name] * 0.99 for name in minmax) > len(minmax) // 4
    timed = bench.run(bench.cell("infer", technique, INFER, variant="minmax"), made[1])
    assert timed.status == "ok", timed.reason
    refused = bench.run(bench.cell("infer", technique, INFER, variant="min-max"), made[1])
    assert refused.status == "unsupported"
    assert "Did you mean 'minmax'? Accepted: " in refused.reason
    assert {"minmax", "moving-average"} <= set(refused.reason.split("Accepted: ")[1].split(", "))
