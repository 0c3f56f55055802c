"""The same weights give the same function in both frameworks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.frameworks
ROOT = Path(__file__).resolve().parents[2]

HEAD = """
import sys, numpy as np
from runners.models.resnet18 import initial_weights, network_of
network = network_of(sys.argv[2], 10)
weights = initial_weights(network, 7)
rng = np.random.default_rng(1)
for name in weights:  # nothing stays zero, so that every layer shows
    weights[name] = weights[name] + rng.normal(0, 0.02, weights[name].shape).astype("float32")
images = rng.normal(0, 1, (3, 32, 32, 3)).astype("float32")
"""
TORCH = """
import torch
from runners.pytorch.parts.network import (
    ResNetModule, StubbedResNetModule, arrays_of, load_arrays)
answers = []
for kind in (ResNetModule, StubbedResNetModule):
    model = kind(network)
    load_arrays(model, network, weights)
    with torch.inference_mode():
        answers.append(model.eval()(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy())
assert np.array_equal(*answers)
again = arrays_of(model, network)
assert again.keys() == weights.keys() and all(np.array_equal(again[n], weights[n]) for n in again)
np.save(sys.argv[1], answers[0])
"""
TENSORFLOW = """
from runners.tensorflow.parts import setup
from runners.tensorflow.parts.network import arrays_of, build, load_arrays
model = build(network, 32)
load_arrays(model, weights)
again = arrays_of(model, network)
assert again.keys() == weights.keys() and all(np.array_equal(again[n], weights[n]) for n in again)
np.save(sys.argv[1], model(images, training=False).numpy())
"""


def answers(interpreter: Path, script: str, path: Path, model: str) -> np.ndarray:
    subprocess.run(
        [interpreter, "-c", HEAD + script, path, model], check=True, cwd=ROOT, capture_output=True
    )
    return np.load(path)


@pytest.mark.parametrize("model", ["resnet18", "resnet18-bn"])
def test_both_frameworks_compute_the_same_logits(
    images: dict[str, Path], tmp_path: Path, model: str
) -> None:
    torch = answers(images["pytorch"], TORCH, tmp_path / "torch.npy", model)
    tensorflow = answers(images["tensorflow"], TENSORFLOW, tmp_path / "tensorflow.npy", model)
    assert torch.shape == (3, 10)
    np.testing.assert_allclose(torch, tensorflow, rtol=1e-3, atol=1e-3 * np.abs(torch).max())
