"""Both TensorFlows start from a file of the layout in which Keras publishes its weights."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from orchestrator.environments import venvs
from orchestrator.environments.images import load_image

pytestmark = pytest.mark.frameworks
ROOT = Path(__file__).resolve().parents[2]

CHECK = """
import hashlib, json, sys
from pathlib import Path
from types import SimpleNamespace
from runners.tensorflow.parts import setup
import numpy as np
import tensorflow as tf
from manifests.cell import Cell
from runners.events import Emitter
from runners.failures import Unsupported
from runners.job import Job
from runners.starting_weights import PretrainedFile
from runners.tensorflow.parts import applications

folder = Path(sys.argv[1])
data = SimpleNamespace(meta=SimpleNamespace(classes=["a", "b"], uniform=""), raw=False)
for model, size in (("vgg16", 48), ("resnet50", 48), ("mobilenet-v1", 128)):
    module = getattr(tf.keras.applications, applications._MODULES[model])
    builder = getattr(module, applications._BUILDERS[model])
    published = builder(include_top=False, weights=None, input_shape=(224, 224, 3))
    rng = np.random.default_rng(1)
    published.set_weights([rng.random(w.shape, "float32") for w in published.get_weights()])
    place = folder / model
    place.mkdir()
    published.save_weights(str(place / "w.h5"))
    digest = hashlib.sha256((place / "w.h5").read_bytes()).hexdigest()
    meta = {"name": "ImageNet", "file": "w.h5", "url": "", "sha256": digest, "checked": "here"}
    (place / "meta.json").write_text(json.dumps(meta))
    cell = Cell(study="s", task="train", framework="tensorflow", technique="float32", model=model,
                dataset="d", image_size=size, batch_size=2, seed=0, protocol="rigorous",
                tier="paper", recipe={"weights": "imagenet"})
    job = Job(cell, folder, data, None, 1, Emitter(None), PretrainedFile(place))
    network = applications.described(job)
    made = applications.arrays_of(applications.new_model(job, "float32", "imagenet"), network)
    wanted = applications.arrays_of(published, network)
    assert wanted and all(np.array_equal(made[name], wanted[name]) for name in wanted)
    assert job.starts_from == "ImageNet, keras.applications" and job.started_with.sha256 == digest
    (place / "w.h5").write_bytes(b"another file")
    for given, error in ((PretrainedFile(place), ValueError), (None, Unsupported)):
        try:
            applications.new_model(Job(cell, folder, data, None, 1, Emitter(None), given),
                                   "float32", "imagenet")
        except error:
            continue
        raise AssertionError("it started from something else")
    print("good", model)
"""


@pytest.mark.first(1)
@pytest.mark.parametrize("name", ["tensorflow-cpu", "tensorflow-22.03"])
def test_a_published_file_becomes_the_layers_below_the_head(name: str, tmp_path: Path) -> None:
    python = venvs.interpreter(load_image(name))
    done = subprocess.run(
        [python, "-c", CHECK, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False,
        timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["good", "vgg16", "good", "resnet50", "good", "mobilenet-v1"]
