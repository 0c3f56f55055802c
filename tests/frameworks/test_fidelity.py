"""Every quantized model of a real run beside its float parent, and the numbers computed anew."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from manifests.artifacts import file_sha256
from manifests.fidelity_summary import WORST_LAYER
from manifests.manifest import Manifest
from tests.frameworks.conftest import BATCH, Reproduction

pytestmark = pytest.mark.frameworks
QUANTIZED = [
    ("pytorch", "quantize", "ptq-eager"),
    ("pytorch", "quantize", "ptq-fx"),
    ("pytorch", "quantize", "dynamic"),
    ("pytorch", "train", "qat-eager"),
    ("tensorflow", "quantize", "ptq-tflite"),
    ("tensorflow", "train", "qat-tfmot"),
]
# The cells that learn and test; beside them are some that take times of the same models.
TESTED = {"quantize": {"image_size": 16}, "train": {"batch_size": BATCH}}
# 20 convolutions, 8 additions, the pool and the head.
LAYERS = 30


def of_tests(run: Reproduction, *cell: str) -> Manifest:
    """The one that tests its model."""
    framework, task, technique = cell
    return run.one(framework, task, technique, **TESTED[task])


def answers(run: Reproduction, manifest: Manifest) -> dict[str, NDArray[Any]]:
    """What a cell left of its answers, as its manifest has it."""
    (artifact,) = [one for one in manifest.artifacts if one.path == "outputs.npz"]
    path = run.run.cell_folder(manifest.id) / artifact.path
    assert file_sha256(path) == artifact.sha256
    with np.load(path) as arrays:
        return dict(arrays)


def value(manifest: Manifest, name: str, label: str = "") -> float:
    metric = manifest.metric(name, label)
    assert metric is not None and metric.samples[0] is not None, (name, label)
    return metric.samples[0]


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    powers: NDArray[np.float64] = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("cell", QUANTIZED)
def test_its_numbers_are_those_of_a_computation_of_its_own(
    reproduction: Reproduction, cell: tuple[str, str, str]
) -> None:
    manifest = of_tests(reproduction, *cell)
    parent = of_tests(reproduction, cell[0], "train", "float32")
    ours, theirs = answers(reproduction, manifest), answers(reproduction, parent)
    assert list(ours["images"]) == list(theirs["images"])
    x, y = (one["values"].astype(np.float64) for one in (theirs, ours))
    p, q = softmax(x), softmax(y)
    divergences = (p * np.log(p / q)).sum(axis=1)
    share = float(np.mean(x.argmax(1) == y.argmax(1)))
    assert value(manifest, "agreement") == pytest.approx(share, abs=1e-6)
    assert value(manifest, "kl_nats") == pytest.approx(divergences.mean(), abs=1e-6)
    assert value(manifest, "kl_nats", "median") == pytest.approx(np.median(divergences), abs=1e-6)
    assert value(manifest, "kl_nats", "p90") == pytest.approx(
        np.percentile(divergences, 90), abs=1e-6
    )
    noise = 10 * math.log10((x**2).sum() / ((x - y) ** 2).sum())
    assert value(manifest, "sqnr_db") == pytest.approx(noise, abs=1e-6)
    fidelity = manifest.fidelity
    assert fidelity is not None and fidelity.parent == parent.id
    assert (fidelity.images, fidelity.parent_outputs) == (len(x), "kept by its cell")
    right, also = x.argmax(1) == ours["labels"], y.argmax(1) == ours["labels"]
    assert (fidelity.n10, fidelity.n01) == (np.sum(right & ~also), np.sum(~right & also))
    # The answers are those that the accuracy was taken from.
    assert value(manifest, "accuracy") == pytest.approx(float(np.mean(also)), abs=1e-9)
    assert value(parent, "accuracy") == pytest.approx(float(np.mean(right)), abs=1e-9)


@pytest.mark.parametrize("cell", QUANTIZED)
def test_every_layer_has_its_noise_and_the_worst_is_named(
    reproduction: Reproduction, cell: tuple[str, str, str]
) -> None:
    manifest = of_tests(reproduction, *cell)
    fidelity = manifest.fidelity
    assert fidelity is not None and fidelity.layers_reason == ""
    assert fidelity.unmatched == [] and fidelity.layer_images == 8
    cumulative = {
        metric.label: metric
        for metric in manifest.labelled("sqnr_db")
        if metric.source.startswith("cumulative")
    }
    assert len(cumulative) == LAYERS
    assert fidelity.worst_layer in cumulative
    worst = value(manifest, "sqnr_db", WORST_LAYER)
    known = [m.samples[0] for m in manifest.labelled("sqnr_db") if m.samples[0] is not None]
    assert worst in known and worst <= value(manifest, "sqnr_db") + 40


def test_what_the_last_layer_answers_is_what_the_model_does(reproduction: Reproduction) -> None:
    """On a few images beside all of them, and by other kernels: near each other."""
    for framework, technique in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite")):
        manifest = of_tests(reproduction, framework, "quantize", technique)
        assert value(manifest, "sqnr_db", "head") == pytest.approx(
            value(manifest, "sqnr_db"), abs=3
        )


def test_what_was_left_in_float32_is_exact(reproduction: Reproduction) -> None:
    """Dynamic quantization leaves all convolutions alone."""
    manifest = of_tests(reproduction, "pytorch", "quantize", "dynamic")
    stem = manifest.metric("sqnr_db", "stem")
    assert stem is not None and stem.samples == [None] and stem.reason.startswith("exact")
    assert manifest.fidelity is not None and manifest.fidelity.worst_layer == "head"


def test_another_runtime_in_float32_is_nearly_the_same(reproduction: Reproduction) -> None:
    manifest = of_tests(reproduction, "tensorflow", "quantize", "tflite-float32")
    assert value(manifest, "agreement") == 1.0 and value(manifest, "sqnr_db") > 80
    assert manifest.fidelity is not None
    assert manifest.fidelity.layers_reason == "the model computes in float32"


def test_a_float_parent_has_no_fidelity_nor_have_the_cells_that_time(
    reproduction: Reproduction,
) -> None:
    for manifest in reproduction.run.load().manifests:
        cell = manifest.cell
        times = cell.task == "infer" or not cell.recipe.get("evaluate", True)
        if times or cell.weights_from is None:
            assert manifest.fidelity is None, manifest.cell.title
            assert "fidelity" not in {phase.name for phase in manifest.phases}


def test_it_is_shown_and_stands_in_the_tables(reproduction: Reproduction) -> None:
    manifest = of_tests(reproduction, "pytorch", "quantize", "ptq-eager")
    assert manifest.fidelity is not None
    shown = reproduction("show", manifest.id).stdout
    assert "Fidelity to its float model" in shown and manifest.fidelity.worst_layer in shown
    text = reproduction("table", "lad2023", "--table", "fidelity", "--format", "csv").stdout
    assert "ptq-eager" in text and "agreement with the float model" in text
