"""Our torch modules compute what keras.applications computes with the same weights."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.frameworks
ROOT = Path(__file__).resolve().parents[2]

# Odd sizes are padded differently, so that both kinds show.
KERAS = """
import os, sys
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np, tf_keras as keras
from runners.models.keras_applications import application, initial_arrays, named_layers
model, size, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
module, builder = {
    "vgg16": ("vgg16", "VGG16"), "resnet50": ("resnet", "ResNet50"),
    "mobilenet-v1": ("mobilenet", "MobileNet"),
}[model]
module = getattr(keras.applications, module)
network = application(model, 10, size)
rng = np.random.default_rng(1)
weights = {}
# Drawn so that a picture's signal reaches the logits: MobileNet's shrinks at every layer.
gain = 6 if model == "mobilenet-v1" else 1
for name, array in initial_arrays(network, 3).items():
    noise = rng.normal(0, 0.02, array.shape)
    if name.endswith(("bias", "beta", "variance")):
        noise = 5 * abs(noise)
    weights[name] = (array * (gain if "gamma" in name else 1) + noise).astype("float32")
pixels = keras.layers.Input((size, size, 3))
base = getattr(module, builder)(
    include_top=False, weights=None, input_tensor=module.preprocess_input(pixels)
)
x = keras.layers.Flatten()(base.output)
for name, units, activation in (
    ("dense1", 50, "relu"), ("dense2", 20, "relu"), ("predictions", 10, None)
):
    x = keras.layers.Dense(units, activation, name=name)(x)
whole = keras.Model(pixels, x)
for layer in named_layers(network.layers):
    target = whole.get_layer(layer.name)
    names = [w.name.split("/")[-1].split(":")[0].replace("depthwise_", "") for w in target.weights]
    target.set_weights([weights[f"{layer.name}.{name}"] for name in names])
images = rng.uniform(0, 255, (3, size, size, 3)).astype("float32")
images[1] *= 0.3
images[2, : size // 2] = 0
np.savez(path, images=images, logits=whole.predict(images, verbose=0), **weights)
"""
TORCH = """
import sys, numpy as np, torch
from runners.models.keras_applications import application
from runners.pytorch.parts.applications import ApplicationModule, load_arrays
model, size, path, answer = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
arrays = dict(np.load(path))
network = application(model, 10, size)
module = ApplicationModule(network).eval()
load_arrays(module, network, arrays)
with torch.inference_mode():
    logits = module(torch.from_numpy(arrays["images"]).permute(0, 3, 1, 2))
np.save(answer, logits.numpy())
"""


@pytest.mark.first(2)
@pytest.mark.parametrize(
    ("model", "size"),
    [("vgg16", 48), ("resnet50", 51), ("mobilenet-v1", 48), ("mobilenet-v1", 51)],
)
def test_the_logits_are_keras(
    images: dict[str, Path], tmp_path: Path, model: str, size: int
) -> None:
    shared, answer = tmp_path / "keras.npz", tmp_path / "torch.npy"
    for framework, script in (("tensorflow", KERAS), ("pytorch", TORCH)):
        subprocess.run(
            [images[framework], "-c", script, model, str(size), shared, answer],
            check=True, cwd=ROOT, capture_output=True,
        )  # fmt: skip
    expected, found = np.load(shared)["logits"], np.load(answer)
    assert found.shape == (3, 10) and np.ptp(expected, axis=0).min() > 0.01
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
