"""The captioner in both frameworks: one function from the same weights, and small real cells."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.manifest import Manifest
from orchestrator.datasets.pack import prepare, quiet
from orchestrator.datasets.sets import data_set
from runners.models.captioner import REMOVABLE
from tests.frameworks.cells import Bench, ok, samples
from tests.frameworks.conftest import ROOT

pytestmark = pytest.mark.frameworks

TRAIN = {"optimizer": "adam", "epochs": 1, "train_images": 128, "test_images": 32,
         "learning_rate": 1e-3, "timed_calls": 2}  # fmt: skip
QUANTIZE = {"calibration_images": 32, "test_images": 32, "timed_calls": 2}
SEARCH = {**QUANTIZE, "left_in_float": "what has to be"}

HEAD = """
import sys, numpy as np
from runners.models.captioner import Captioner, initial_arrays, without
network = without(Captioner(18, 11, 24), sys.argv[2:])
arrays = initial_arrays(network, 7)
rng = np.random.default_rng(1)
for name in arrays:  # nothing stays zero or one, so that every layer shows
    arrays[name] = arrays[name] + rng.normal(0, 0.05, arrays[name].shape).astype("float32")
pictures = rng.normal(0, 1, (4, 24, 24, 3)).astype("float32")
words = rng.integers(0, 18, (4, 11))
"""
TORCH = """
import torch
from runners.pytorch.captioner.calling import answering
from runners.pytorch.captioner.network import CaptionerModule, StubbedCaptionerModule
from runners.pytorch.captioner.network import arrays_of, load_arrays
models = CaptionerModule(network), StubbedCaptionerModule(network, frozenset())
for model in models:
    load_arrays(model, arrays)
    model.eval()
kept = arrays_of(models[0])
assert kept.keys() == arrays.keys() and all(np.array_equal(kept[k], arrays[k]) for k in kept)
answers = [answering(model)(pictures, words) for model in models]
assert np.array_equal(*answers)
np.save(sys.argv[1], answers[0])
"""
OLD_TORCH = """
from torch.ao.nn.quantized import FloatFunctional
del FloatFunctional.matmul  # as before torch 2.1
"""
TENSORFLOW = """
from runners.tensorflow.parts import setup
from runners.tensorflow.captioner.calling import answering
from runners.tensorflow.captioner.network import arrays_of, build, load_arrays
model = build(network)
load_arrays(model, arrays)
kept = arrays_of(model)
assert kept.keys() == arrays.keys() and all(np.array_equal(kept[k], arrays[k]) for k in kept)
np.save(sys.argv[1], answering(model)(pictures, words))
"""


def answers(interpreter: Path, script: str, path: Path, removed: Sequence[str] = ()) -> Any:
    done = subprocess.run(
        [interpreter, "-c", HEAD + script, path, *removed], cwd=ROOT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return np.load(path)


def test_a_torch_without_products_to_replace_computes_the_same(
    images: dict[str, Path], tmp_path: Path
) -> None:
    usual = answers(images["pytorch"], TORCH, tmp_path / "usual.npy")
    assert np.array_equal(
        answers(images["pytorch"], OLD_TORCH + TORCH, tmp_path / "old.npy"), usual
    )


@pytest.mark.first(1)
@pytest.mark.parametrize("removed", [[], ["layer-normalisation"], list(REMOVABLE)])
def test_both_frameworks_give_the_same_words(
    images: dict[str, Path], tmp_path: Path, removed: list[str]
) -> None:
    torch = answers(images["pytorch"], TORCH, tmp_path / "torch.npy", removed)
    tensorflow = answers(images["tensorflow"], TENSORFLOW, tmp_path / "tensorflow.npy", removed)
    assert torch.shape == (4, 11, 18) and torch.std() > 0.1
    np.testing.assert_allclose(torch, tensorflow, rtol=1e-3, atol=1e-3 * np.abs(torch).max())
    assert np.array_equal(torch.argmax(2), tensorflow.argmax(2))


def a_bench(python: Path, folder: Path, framework: str) -> Bench:
    data = prepare(data_set("digit-captions").source(folder), 24, folder / "cache", quiet)
    base = {
        "study": "lad2023", "framework": framework, "model": "captioner",
        "dataset": "digit-captions", "image_size": 24, "batch_size": 16, "seed": 0,
        "protocol": "rigorous", "tier": "quick",
    }  # fmt: skip
    return Bench(python, folder, data, base)


@pytest.fixture(scope="module")
def pytorch(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return a_bench(images["pytorch"], tmp_path_factory.mktemp("pytorch"), "pytorch")


@pytest.fixture(scope="module")
def tensorflow(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return a_bench(images["tensorflow"], tmp_path_factory.mktemp("tensorflow"), "tensorflow")


@pytest.fixture(scope="module")
def float_pytorch(pytorch: Bench) -> Manifest:
    return ok(pytorch.run(pytorch.cell("train", "float32", TRAIN)))


@pytest.fixture(scope="module")
def float_tensorflow(tensorflow: Bench) -> Manifest:
    return ok(tensorflow.run(tensorflow.cell("train", "float32", TRAIN)))


@pytest.mark.parametrize("framework", ["pytorch", "tensorflow"])
def test_a_training_is_judged_by_words_and_captions(
    framework: str, request: pytest.FixtureRequest
) -> None:
    trained: Manifest = request.getfixturevalue(f"float_{framework}")
    assert samples(trained, "parameters") == [159_122]
    (accuracy,) = samples(trained, "token_accuracy")
    assert 0.05 < accuracy < 1
    bleu = trained.metric("bleu")
    assert bleu is not None and bleu.source.startswith("sacrebleu, nrefs:1")
    assert bleu.samples[0] is not None and 0 <= bleu.samples[0] <= 1
    assert trained.proof is not None and trained.proof.coverage == 1.0
    assert trained.inputs.dataset is not None
    assert trained.inputs.dataset.name == "digit-captions"


def test_eager_mode_refuses_the_whole_network(pytorch: Bench, float_pytorch: Manifest) -> None:
    refused = pytorch.run(pytorch.cell("quantize", "ptq-eager", QUANTIZE), float_pytorch)
    assert refused.status == "unsupported", refused.error
    assert "with arguments from the 'QuantizedCPU' backend" in refused.reason


def test_what_eager_mode_needs_in_float_is_found(pytorch: Bench, float_pytorch: Manifest) -> None:
    found = ok(pytorch.run(pytorch.cell("quantize", "ptq-eager", SEARCH), float_pytorch))
    assert found.float_set is not None and found.float_set.minimal
    assert found.float_set.kept == ["self-attention-scores", "cross-attention-scores"]
    assert found.float_set.steps[0].outcome == "refused"
    assert "'aten::_softmax" in found.float_set.steps[0].words
    assert samples(found, "float_component", "self-attention-scores") == [1]
    assert samples(found, "float_component", "token-embedding") == [0]
    assert found.proof is not None and found.proof.coverage == 1.0
    assert samples(found, "token_agreement")[0] > 0.5


@pytest.mark.thorough
def test_the_same_set_is_found_by_the_same_steps_twice(
    pytorch: Bench, float_pytorch: Manifest
) -> None:
    cells = [pytorch.cell("quantize", "dynamic", SEARCH, repeat=number) for number in range(2)]
    first, again = (ok(pytorch.run(cell, float_pytorch)).float_set for cell in cells)
    assert first is not None and again is not None and first.minimal
    assert "image-encoder" in first.kept and "feed-forward" not in first.kept
    assert first.kept == again.kept
    assert [(s.kept, s.outcome, s.in_float) for s in first.steps] == [
        (s.kept, s.outcome, s.in_float) for s in again.steps
    ]


def test_fx_takes_the_whole_network_and_computes_scores_in_float(
    pytorch: Bench, float_pytorch: Manifest
) -> None:
    """torch's quantized product and softmax dequantize inside, which the graph doesn't show."""
    made = ok(pytorch.run(pytorch.cell("quantize", "ptq-fx", QUANTIZE), float_pytorch))
    in_float = [one.label for one in made.labelled("float_component") if one.samples == [1]]
    assert in_float == ["self-attention-scores", "cross-attention-scores"]
    assert made.proof is not None and made.proof.operations["float32"]["aten::matmul"] == 8


def test_dynamic_quantization_leaves_what_is_no_product(
    pytorch: Bench, float_pytorch: Manifest
) -> None:
    made = ok(pytorch.run(pytorch.cell("quantize", "dynamic", QUANTIZE), float_pytorch))
    assert samples(made, "float_component", "image-encoder") == [1]
    assert samples(made, "float_component", "feed-forward") == [0]
    assert samples(made, "token_agreement")[0] > 0.9


def test_tensorflow_makes_integers_of_the_whole_network(
    tensorflow: Bench, float_tensorflow: Manifest
) -> None:
    cell = tensorflow.cell("quantize", "ptq-tflite", QUANTIZE)
    made = ok(tensorflow.run(cell, float_tensorflow))
    assert samples(made, "float_component", "feed-forward") == [0]
    assert made.proof is not None and made.proof.coverage == 1.0
    assert samples(made, "token_agreement")[0] > 0.5


@pytest.mark.thorough
def test_what_int16_refuses_is_taken_out_and_the_rest_trained_anew(
    tensorflow: Bench, float_tensorflow: Manifest
) -> None:
    """No kernel of normalisation takes int16, not even where it is to stay in float."""
    made = ok(tensorflow.run(tensorflow.cell("quantize", "ptq-int16x8", SEARCH), float_tensorflow))
    assert made.float_set is not None and made.float_set.minimal
    assert made.float_set.removed == ["layer-normalisation"]
    assert "SquaredDifference" in made.float_set.steps[0].words
    assert samples(made, "removed_component", "layer-normalisation") == [1]
    assert samples(made, "float_component", "layer-normalisation") == [None]
    assert samples(made, "float_component", "feed-forward") == [0]
    (anew,) = samples(made, "token_accuracy", "trained anew in float32")
    assert 0.05 < anew < 1
    assert samples(made, "token_agreement")[0] > 0.9
    agreement = made.metric("token_agreement")
    assert agreement is not None and "trained anew" in agreement.source


def test_tfmot_refuses_a_network_whose_input_is_words(
    tensorflow: Bench, float_tensorflow: Manifest
) -> None:
    cell = tensorflow.cell("train", "qat-tfmot", {**TRAIN, "left_in_float": "nothing"})
    refused = tensorflow.run(cell, float_tensorflow)
    assert refused.status == "unsupported", refused.error
    assert "'FakeQuantWithMinMaxVars' Op has type int32" in refused.reason
