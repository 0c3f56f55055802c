"""The same batches take both frameworks along the same way, also when the rate changes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.frameworks
ROOT = Path(__file__).resolve().parents[2]

HEAD = """
import json, sys, numpy as np
from runners.models.resnet18 import resnet18, initial_weights
from runners.training import TrainRecipe, learning_rate_at
recipe = TrainRecipe(epochs=1, train_images=0, test_images=0, learning_rate=0.02, momentum=0.9,
    weight_decay=0.01, clip_norm=1.0, warm_up=0.4, milestones=[0.6], decay=0.1)
network = resnet18(10)
weights = initial_weights(network, 3)
rng = np.random.default_rng(2)
images = rng.normal(0, 1, (8, 32, 32, 3)).astype("float32")
labels = rng.integers(0, 10, 8)
STEPS = 8
"""
TORCH = """
import torch
from runners.pytorch.parts.network import ResNetModule, load_arrays
from runners.pytorch.parts.training import Precision, step_function
model = ResNetModule(network)
load_arrays(model, network, weights)
step = step_function(model, recipe, torch.device("cpu"), Precision())
"""
TENSORFLOW = """
from runners.tensorflow.parts import setup
from runners.tensorflow.parts.network import build, load_arrays
from runners.tensorflow.parts.training import step_function
model = build(network, 32)
load_arrays(model, weights)
step = step_function(model, recipe, 8, 32)
"""
TAIL = """
print(json.dumps([step(images, labels, learning_rate_at(recipe, n, STEPS)) for n in range(STEPS)]))
"""


def losses(interpreter: Path, script: str) -> list[float]:
    done = subprocess.run(
        [interpreter, "-c", HEAD + script + TAIL],
        check=True, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    found: list[float] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_losses_agree_through_warm_up_and_a_milestone(images: dict[str, Path]) -> None:
    torch = losses(images["pytorch"], TORCH)
    tensorflow = losses(images["tensorflow"], TENSORFLOW)
    assert torch[-1] < torch[0]
    assert tensorflow == pytest.approx(torch, rel=2e-3)
