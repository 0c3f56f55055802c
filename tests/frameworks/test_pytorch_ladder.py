"""Every PyTorch technique of shafique2023 that a processor can run, on MobileNet_v1 and digits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import ADAM, INFER, OPERATIONS, Bench, digits_bench, ok, proven, samples

pytestmark = pytest.mark.frameworks
QUANTIZE = {"calibration_images": 16, "test_images": 40}


def cumulative(manifest: Manifest) -> dict[str, Any]:
    """SQNR by layer, in the model as a whole."""
    return {
        metric.label: metric.samples[0]
        for metric in manifest.labelled("sqnr_db")
        if metric.source.startswith("cumulative")
    }


@pytest.fixture(scope="module")
def bench(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return digits_bench(images["pytorch"], tmp_path_factory.mktemp("ladder"))


@pytest.fixture(scope="module")
def trained(bench: Bench) -> Manifest:
    return ok(bench.run(bench.cell("train", "float32", ADAM)))


def test_float32_is_trained_by_adam(bench: Bench, trained: Manifest) -> None:
    assert samples(trained, "parameters") == [3_259_456]
    assert len(samples(trained, "train_step_s")) == 4
    proven(trained, "float32")
    assert samples(trained, "model_size_bytes")[0] == pytest.approx(4 * 3_281_344, rel=0.01)


@pytest.mark.first(1)
@pytest.mark.parametrize("channels_last", [False, True])
def test_mixed_precision_computes_in_bfloat16(
    bench: Bench, trained: Manifest, channels_last: bool
) -> None:
    recipe = {**ADAM, "channels_last": channels_last, "keep_weights": False}
    manifest = ok(bench.run(bench.cell("train", "amp-bfloat16", recipe)))
    proven(manifest, "bfloat16")
    assert manifest.artifacts == []
    loss, exact = samples(manifest, "train_loss"), samples(trained, "train_loss")
    assert loss == pytest.approx(exact, rel=0.15)


def test_eager_and_channels_last_answer_alike(bench: Bench, trained: Manifest) -> None:
    accuracies = []
    for technique in ("float32", "channels-last"):
        cell = bench.cell("infer", technique, {**INFER, "test_images": 100})
        manifest = ok(bench.run(cell, trained))
        assert len(samples(manifest, "latency_s")) == 3
        accuracies += samples(manifest, "accuracy")
    assert accuracies[0] == accuracies[1]


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("technique", "kind"),
    [
        ("compiled", "float32"),
        ("compiled-bfloat16", "bfloat16"),
    ],
)
def test_compiled_graphs_prove_their_type(
    bench: Bench, trained: Manifest, technique: str, kind: str
) -> None:
    manifest = ok(bench.run(bench.cell("infer", technique, {**INFER, "test_images": 20}), trained))
    # Inductor fuses bfloat16 where oneDNN has kernels for it, which need AVX-512.
    fused = kind == "float32" or "avx512bw" in Path("/proc/cpuinfo").read_text()
    convolution = "mkldnn::_convolution_pointwise" if fused else "aten::_convolution"
    assert proven(manifest, kind)[convolution] == 27
    assert samples(manifest, "convert_s")[0] > 0
    fidelity = manifest.fidelity
    assert fidelity is not None and fidelity.images == 20
    least = {"float32": 80, "bfloat16": 25}[kind]
    assert samples(manifest, "sqnr_db")[0] is None or samples(manifest, "sqnr_db")[0] > least
    layers = 0 if kind == "float32" else OPERATIONS
    assert len(cumulative(manifest)) == layers and fidelity.unmatched == []
    assert [phase.name for phase in manifest.phases][2:5] == ["compile", "warm-up", "measure"]


def test_fx_quantization_is_int8_throughout(bench: Bench, trained: Manifest) -> None:
    quantized = ok(bench.run(bench.cell("quantize", "ptq-fx", QUANTIZE), trained))
    assert proven(quantized, "int8")["quantized::conv2d"] == 27
    assert samples(quantized, "model_size_bytes")[0] < 3_600_000
    assert len(cumulative(quantized)) == OPERATIONS
    assert quantized.fidelity is not None and quantized.fidelity.worst_by == "isolated SQNR"
    manifest = ok(bench.run(bench.cell("infer", "ptq-fx", INFER), quantized))
    assert proven(manifest, "int8") == proven(quantized, "int8")


def test_pt2e_quantization_is_int8_in_the_compiled_graph(bench: Bench, trained: Manifest) -> None:
    quantized = ok(bench.run(bench.cell("quantize", "ptq-pt2e", QUANTIZE), trained))
    assert proven(quantized, "int8") == {
        "onednn::qconv_pointwise": 27, "onednn::qlinear_pointwise": 3,
    }  # fmt: skip
    assert quantized.inputs.dataset is not None
    assert quantized.inputs.dataset.used == {"calibration": 16, "test": 40}
    # The float32 weights that int8 replaces are not in the file.
    assert samples(quantized, "model_size_bytes")[0] < 4_500_000
    # The exported graph computes what the compiled one does: its last layer is the model's answer.
    noise = cumulative(quantized)
    assert len(noise) == OPERATIONS
    assert noise["predictions"] == pytest.approx(samples(quantized, "sqnr_db")[0], abs=1)
    again = bench.cell("infer", "ptq-pt2e", {**INFER, "test_images": 40}, batch_size=5)
    manifest = ok(bench.run(again, quantized))
    proven(manifest, "int8")
    assert samples(manifest, "accuracy") == samples(quantized, "accuracy")


@pytest.mark.thorough
def test_torchao_says_how_little_its_int8_covers(bench: Bench, trained: Manifest) -> None:
    manifest = ok(bench.run(bench.cell("infer", "int8-torchao", INFER), trained))
    proof = manifest.proof
    assert proof is not None and proof.operations["int8"] == {"aten::_int_mm": 13}
    assert proof.coverage == pytest.approx(13 / OPERATIONS)
    assert any("convolution" in text and "bfloat16" in text for text in proof.fallback)
    # Its recipe tests no images; some are answered all the same.
    assert manifest.fidelity is not None and manifest.fidelity.images == 128
    assert len(cumulative(manifest)) == OPERATIONS and samples(manifest, "sqnr_db")[0] > 20
    assert manifest.metric("accuracy") is None


def test_as_published_times_calls_alone(bench: Bench, trained: Manifest) -> None:
    recipe = {"warm_up_count": 2, "measure_count": 9}
    cell = bench.cell("infer", "float32", recipe, protocol="as-published")
    manifest = ok(bench.run(cell, trained))
    assert len(samples(manifest, "latency_s")) == 9
    assert manifest.metric("end_to_end_s") is None


def test_times_need_no_trained_weights(bench: Bench) -> None:
    manifest = ok(bench.run(bench.cell("infer", "channels-last", INFER)))
    assert manifest.inputs.weights == "none"


@pytest.mark.parametrize(
    ("task", "technique"),
    [
        ("train", "tf32"), ("train", "amp-float16"), ("infer", "tf32"),
        ("infer", "compiled-float16"), ("infer", "cuda-graph"), ("infer", "cuda-graph-float16"),
        ("infer", "float8-torchao"), ("infer", "tensorrt-float32"), ("infer", "tensorrt-int8"),
    ],
)  # fmt: skip
def test_what_only_a_gpu_has_is_unsupported_on_a_processor(
    bench: Bench, task: str, technique: str
) -> None:
    manifest = bench.run(bench.cell(task, technique, ADAM if task == "train" else INFER, seed=1))
    assert manifest.status == "unsupported"
    assert manifest.reason == f"{technique} needs an NVIDIA GPU; this cell is for a processor"


def test_eager_quantization_of_a_keras_application_names_the_way_out(
    bench: Bench, trained: Manifest
) -> None:
    manifest = bench.run(bench.cell("quantize", "ptq-eager", QUANTIZE), trained)
    assert manifest.status == "unsupported" and "use ptq-fx or ptq-pt2e" in manifest.reason


def test_without_a_compiler_compiling_is_unsupported(bench: Bench, trained: Manifest) -> None:
    cell = bench.cell("infer", "compiled", INFER, seed=2)
    manifest = bench.run(cell, trained, env={"PATH": "/nowhere"})
    assert manifest.status == "unsupported"
    assert manifest.reason == (
        "torch.compile needs a compiler; none of g++, clang++, c++ is on the PATH"
    )


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ("vgg16", 14_741_568),
        ("resnet50", 23_945_472),
    ],
)
def test_the_other_networks_train_and_answer(
    images: dict[str, Path], tmp_path: Path, model: str, parameters: int
) -> None:
    bench = digits_bench(images["pytorch"], tmp_path, model)
    trained = ok(bench.run(bench.cell("train", "amp-bfloat16", {**ADAM, "train_images": 16})))
    assert samples(trained, "parameters") == [parameters]
    quantized = ok(bench.run(bench.cell("quantize", "ptq-fx", QUANTIZE), trained))
    proof = quantized.proof
    assert proof is not None and proof.coverage == 1.0
