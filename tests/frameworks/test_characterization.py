"""A real run of shafique2023 on a processor, and what has to be true of it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.frameworks.conftest import Reproduction

pytestmark = [pytest.mark.frameworks, pytest.mark.thorough]


def explained(run: Reproduction, technique: str) -> dict[str, Any]:
    """By source: the explanations of MobileNet_v1 at 48 x 48, batch 32."""
    text = run("explain", "shafique2023", "--technique", technique, "--json").stdout
    return {
        item["source"]: item
        for item in json.loads(text)
        if item["point"]["model"] == "mobilenet-v1" and item["point"]["image_size"] == "48"
        and item["point"]["batch_size"] == "32"
    }  # fmt: skip


def test_the_ladder_ran_on_tensorflow_2_8_and_tflite_on_a_current_one(
    characterization: Reproduction,
) -> None:
    signature = characterization.one(
        "tensorflow", "infer", "signature", protocol="rigorous"
    ).environment
    assert (signature.python[:3], signature.packages["tensorflow-cpu"]) == ("3.8", "2.8.4")
    tflite = characterization.one("tensorflow", "infer", "ptq-tflite").environment
    assert tflite.packages["ai-edge-litert"] == "2.3.0"


def test_as_published_predict_looks_slow_and_explain_names_the_calling_convention(
    characterization: Reproduction,
) -> None:
    found = explained(characterization, "signature")["measured, as-published"]
    assert [factor["kind"] for factor in found["factors"]] == ["calling convention"]
    assert found["total"] == pytest.approx(found["factors"][0]["value"]) and found["total"] > 1
    assert found["factors"][0]["share"] == pytest.approx(1.0)


def test_every_factor_of_int8_was_measured(characterization: Reproduction) -> None:
    found = explained(characterization, "ptq-tflite")["measured, rigorous"]
    kinds = [factor["kind"] for factor in found["factors"]]
    assert kinds == ["calling convention", "compiler", "precision"]
    product = np.prod([factor["value"] for factor in found["factors"]])
    assert found["total"] == pytest.approx(product)
    assert len(found["cells"]) == 5


def test_the_protocols_take_their_numbers_in_their_own_way(
    characterization: Reproduction,
) -> None:
    published = characterization.one(
        "tensorflow", "infer", "keras-predict", protocol="as-published"
    )
    metric = published.metric("latency_s")
    assert metric is not None and len(metric.samples) == 20
    assert metric.source.startswith("time.time()")
    assert published.metric("end_to_end_s") is None
    rigorous = characterization.one("tensorflow", "infer", "keras-predict", protocol="rigorous")
    assert rigorous.metric("end_to_end_s") is not None


def test_mixed_precision_is_proven_by_the_training_graph(characterization: Reproduction) -> None:
    proof = characterization.one("tensorflow", "train", "amp-bfloat16").proof
    assert proof is not None and (proof.promised, proof.coverage) == ("bfloat16", 1.0)
    assert proof.operations["bfloat16"]["DepthwiseConv2dNativeBackpropFilter"] == 13
    plain = characterization.one("tensorflow", "train", "float32").proof
    assert plain is not None and plain.coverage == 1.0 and "bfloat16" not in plain.operations


def test_int8_is_proven_and_smaller(characterization: Reproduction) -> None:
    sizes = {}
    for technique in ("tflite-float32", "ptq-tflite"):
        metric = characterization.one("tensorflow", "quantize", technique).metric(
            "model_size_bytes"
        )
        assert metric is not None and metric.samples[0] is not None
        sizes[technique] = metric.samples[0]
    assert sizes["tflite-float32"] / sizes["ptq-tflite"] == pytest.approx(3.8, abs=0.3)
    proof = characterization.one("tensorflow", "infer", "ptq-tflite").proof
    assert proof is not None and proof.coverage == 1.0
    assert proof.operations["int8"]["DEPTHWISE_CONV_2D"] == 13


def test_training_has_epochs_steps_and_memory(characterization: Reproduction) -> None:
    manifest = characterization.one("tensorflow", "train", "float32")
    steps, epochs = manifest.metric("train_step_s"), manifest.metric("train_epoch_s")
    assert steps is not None and len(steps.samples) == 4 and steps.items == 32
    assert epochs is not None and len(epochs.samples) == 2 and epochs.items == 64
    memory = manifest.metric("peak_memory_bytes")
    assert memory is not None and memory.source == "rss of the process"
    assert manifest.metric("parameters").samples == [3_281_344]  # type: ignore[union-attr]
    assert manifest.inputs.weights == "none"


def test_the_tables_say_what_stands_in_and_show_both_protocols(
    characterization: Reproduction,
) -> None:
    text = characterization("table", "shafique2023", "--format", "md").stdout
    assert text.count("###") == 13  # Tables 2 to 11, a processor's accuracies, ladder, fidelity
    assert "digits in place of cifar10 and cats\\_vs\\_dogs · both protocols" in text
    assert "pretrained weights: none" in text
    assert "| mobilenet-v1 | 32 | as-published | CPU: signature |" in text
    assert "| mobilenet-v1 | 32 | rigorous | CPU: TFLite int8 |" in text
