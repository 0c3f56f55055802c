"""ONNX Runtime cells from weights that PyTorch trained: the same network, and really INT8."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests.artifacts import file_sha256
from manifests.codec import read_manifest, write_manifest
from manifests.manifest import Manifest
from runners.safetensors_file import NEUTRAL_FILE, read_arrays, write_arrays
from tests.frameworks.cells import ADAM, INFER, Bench, digits_bench, ok, samples
from tests.frameworks.conftest import ROOT, interpreter
from tests.frameworks.onnxruntime_scripts import PROVIDERS, REFUSED, SCALES

pytestmark = pytest.mark.frameworks

SGD = {
    "epochs": 1, "train_images": 64, "test_images": 40, "learning_rate": 0.02, "momentum": 0.9,
    "weight_decay": 0.0, "clip_norm": 1.0, "warm_up": 0.0, "milestones": [], "decay": 0.1,
}  # fmt: skip
PTQ = {"calibration_images": 16, "test_images": 40}
CONVOLUTIONS = 20
"""Of ResNet18, shortcuts included; one product more makes the head."""


class Family:
    """ResNet18 that PyTorch trained, and cells of ONNX Runtime that start from it."""

    def __init__(self, folder: Path, model: str, size: int, recipe: dict[str, Any]) -> None:
        torch = digits_bench(interpreter("pytorch-cpu"), folder, model, size)
        base = {**torch.base, "framework": "onnxruntime"}
        self.bench: Bench = torch._replace(python=interpreter("onnxruntime-cpu"), base=base)
        self.trained = ok(torch.run(torch.cell("train", "float32", recipe)))

    def quantized(self, technique: str, variant: str = "", **recipe: Any) -> Manifest:
        cell = self.bench.cell("quantize", technique, {**PTQ, **recipe}, variant=variant)
        return self.bench.run(cell, self.trained)

    def timed(self, technique: str, parent: Manifest) -> Manifest:
        return ok(self.bench.run(self.bench.cell("infer", technique, INFER), parent))


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(tmp_path_factory.mktemp("resnet"), "resnet18", 16, SGD)


def operations(manifest: Manifest) -> dict[str, dict[str, int]]:
    assert manifest.proof is not None
    return manifest.proof.operations


def test_float32_is_the_network_that_pytorch_trained(resnet: Family) -> None:
    made = ok(resnet.quantized("float32"))
    (difference,) = samples(made, "logit_difference")
    assert 0 < difference <= 1e-3
    assert samples(made, "agreement", "float model") == [1.0] == samples(made, "agreement")
    assert samples(made, "accuracy") == samples(resnet.trained, "accuracy")
    assert made.inputs.weights == f"cell {resnet.trained.id}"
    timed = resnet.timed("float32", made)
    assert sum(operations(timed)["float32"].values()) == CONVOLUTIONS + 1
    assert samples(timed, "promised_share") == [1.0] == samples(timed, "promised_time_share")


@pytest.mark.parametrize(
    ("technique", "variant"),
    [("ptq-qdq", ""), ("ptq-qdq", "entropy"), ("ptq-qdq", "percentile"), ("ptq-qoperator", "")],
)
def test_static_quantization_runs_in_int8(resnet: Family, technique: str, variant: str) -> None:
    made = ok(resnet.quantized(technique, variant))
    assert samples(made, "calibration_s")[0] > 0 and samples(made, "convert_s")[0] > 0
    assert samples(made, "promised_share") == [1.0]
    assert operations(made)["int8"]["QLinearConv uint8 x int8"] == CONVOLUTIONS
    # An eighth of what float32 has, and the float32 file's quarter with scales and names.
    assert samples(made, "model_size_bytes")[0] < 4 * 11_169_162 / 3.8
    assert samples(made, "agreement", "float model") == [1.0]
    assert made.fidelity is not None and made.fidelity.parent == resnet.trained.id
    assert made.fidelity.images == 40 and samples(made, "sqnr_db")[0] > 5
    noise = noise_by_layer(made)
    assert all(0 < noise[name] < 80 for name in noise)
    # On a few images beside all of them.
    assert noise["head"] == pytest.approx(samples(made, "sqnr_db")[0], abs=3)


def noise_by_layer(manifest: Manifest) -> dict[str, float]:
    """SQNR in dB of every layer; each has one, and the worst is one of them."""
    found = manifest.fidelity
    assert found is not None and (found.layers_reason, found.unmatched) == ("", [])
    cumulative = [m for m in manifest.labelled("sqnr_db") if m.source.startswith("cumulative")]
    noise = {m.label: m.samples[0] for m in cumulative if m.samples[0] is not None}
    assert len(noise) == len(cumulative) == CONVOLUTIONS + 1 and found.worst_layer in noise
    return noise


def test_calibrators_find_different_ranges(resnet: Family) -> None:
    found = {
        variant: scales(resnet, f"ptq-qdq {variant}".strip(), variant)
        for variant in ("", "entropy", "percentile")
    }
    assert len(found[""]) > 15
    assert found[""] != found["entropy"] and found["entropy"] != found["percentile"]
    # Whoever cuts off has finer steps, or the same where nothing is worth cutting off.
    assert all(found["entropy"][name] <= found[""][name] * 1.001 for name in found[""])


def scales(family: Family, place: str, variant: str) -> dict[str, float]:
    """Of the activations, in the file that a cell of this variant left."""
    cell = family.bench.cell("quantize", "ptq-qdq", PTQ, variant=variant)
    cell = msgspec.structs.replace(cell, weights_from=family.trained.id)
    path = family.bench.folder / cell.id / "model.onnx"
    done = subprocess.run(
        [family.bench.python, "-c", SCALES, path], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_a_timed_cell_takes_its_time_apart(resnet: Family) -> None:
    timed = resnet.timed("ptq-qdq", ok(resnet.quantized("ptq-qdq", test_images=20)))
    assert timed.proof is not None and timed.proof.coverage == 1.0
    assert timed.environment.settings["intra_op_num_threads"] == str(timed.environment.threads)
    assert timed.environment.settings["inter_op_num_threads"] == "1"
    inside = sum(m.samples[0] or 0.0 for m in timed.labelled("op_time_s"))
    (outside,) = samples(timed, "outside_operations_s")
    (profiling,) = samples(timed, "profiling_s")
    latency = float(np.median([float(s) for s in samples(timed, "latency_s")]))
    assert inside > 0 and inside + outside - profiling == pytest.approx(latency, rel=1e-6)
    labels = {metric.label for metric in timed.labelled("op_time_s")}
    assert {"QLinearConv uint8 x int8", "QuantizeLinear"} <= labels


@pytest.mark.parametrize(
    ("technique", "names"),
    [
        ("ptq-qdq-s8s8", {"QLinearConv int8 x int8", "QLinearConv uint8 x int8", "Conv"}),
        ("ptq-qdq-u8u8", {"QLinearConv uint8 x uint8"}),
        ("dynamic", {"ConvInteger uint8 x uint8"}),
    ],
)
def test_the_proof_names_the_types_that_ran(
    resnet: Family, technique: str, names: set[str]
) -> None:
    made = ok(resnet.quantized(technique))
    ran = {name for of_kind in operations(made).values() for name in of_kind if "Conv" in name}
    assert ran and ran <= names
    assert (made.metric("calibration_s") is None) == (technique == "dynamic")
    if technique == "dynamic":  # all of it by count, and the rest of its time is no product's
        assert samples(made, "promised_share") == [1.0]
        labels = {metric.label for metric in made.labelled("op_time_s")}
        assert {"DynamicQuantizeLinear", "Mul"} <= labels
    assert len(noise_by_layer(made)) == CONVOLUTIONS + 1


def test_mobilenet_with_its_preprocessing(tmp_path: Path) -> None:
    family = Family(tmp_path, "mobilenet-v1", 32, {**ADAM, "learning_rate": 1e-3})
    made = ok(family.quantized("ptq-qdq"))
    assert samples(made, "logit_difference")[0] <= 1e-3
    assert samples(made, "agreement", "float model") == [1.0]
    assert samples(made, "promised_share") == [1.0]
    labels = {metric.label for metric in made.labelled("op_time_s")}
    assert {"Sub", "Div"} <= labels, "the pixels' preprocessing stays float32"


def changed(family: Family, change: Any) -> Manifest:
    """The same training with weights that ``change`` made of its own."""
    bench, trained = family.bench, family.trained
    cell = msgspec.structs.replace(
        trained.cell, seed=trained.cell.seed + len(list(bench.folder.iterdir()))
    )
    place = bench.folder / cell.id
    shutil.copytree(bench.folder / trained.id, place)
    arrays = read_arrays(place / NEUTRAL_FILE)
    change(arrays)
    write_arrays(place / NEUTRAL_FILE, arrays, {})
    artifacts = [
        msgspec.structs.replace(
            one, sha256=file_sha256(place / one.path), size_bytes=(place / one.path).stat().st_size
        )
        for one in trained.artifacts
    ]
    (place / "manifest.json").unlink()
    found = msgspec.structs.replace(trained, id=cell.id, cell=cell, artifacts=artifacts)
    write_manifest(place / "manifest.json", found)
    return read_manifest(place / "manifest.json")


def test_nan_in_weights_is_never_quantized(resnet: Family) -> None:
    def spoil(arrays: dict[str, Any]) -> None:
        arrays["stem.weight"][0, 0, 0, 0] = np.nan

    parent = changed(resnet, spoil)
    made = resnet.bench.run(resnet.bench.cell("quantize", "ptq-qdq", PTQ), parent)
    assert made.status == "unsupported" and made.proof is None
    assert "'stem.weight' of the neutral weights holds values that aren't finite" in made.reason


def test_another_network_than_the_trained_one_is_never_quantized(resnet: Family) -> None:
    """As it would be if the weights were laid out wrongly."""

    def turn(arrays: dict[str, Any]) -> None:
        arrays["stem.weight"] = np.ascontiguousarray(arrays["stem.weight"][::-1])

    parent = changed(resnet, turn)
    made = resnet.bench.run(resnet.bench.cell("quantize", "ptq-qdq", PTQ), parent)
    assert made.status == "unsupported" and made.proof is None
    assert made.reason.startswith("float parity failed: logits differ by ")
    (difference,) = samples(made, "logit_difference")
    assert difference > 1e-3


def test_a_constant_calibrates_nothing(resnet: Family, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(resnet.bench.data, data)
    images = np.load(data / "train_images.npy")
    np.save(data / "train_images.npy", np.full_like(images, 7))
    bench = resnet.bench._replace(data=data)
    cell = bench.cell("quantize", "ptq-qdq", {**PTQ, "calibration_images": 15})
    made = bench.run(cell, resnet.trained)
    assert made.status == "unsupported" and made.proof is None
    assert "the 15 calibration images are all of one value (7)" in made.reason


def test_an_operator_that_is_refused_is_unsupported_in_its_words() -> None:
    done = subprocess.run(
        [interpreter("onnxruntime-cpu"), "-c", REFUSED],
        check=True, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    *refused, broken = done.stdout.splitlines()
    assert len(refused) == 3
    assert all(line.startswith("unsupported ONNX Runtime refuses the model") for line in refused)
    assert "GlobalAveragePool" in refused[0] and "Gelu" in refused[1]
    assert broken.startswith("crashed InvalidProtobuf")


@pytest.mark.parametrize(
    ("technique", "device", "words"),
    [
        ("ptq-qdq", "gpu", "ptq-qdq runs on a processor. On a GPU there are: cuda, tensorrt-int8"),
        ("cuda", "cpu", "cuda needs an NVIDIA GPU; this cell is for a processor"),
        ("cuda", "gpu", "this build of ONNX Runtime has no CUDAExecutionProvider; it has "),
        ("tensorrt-int8", "gpu", "this build of ONNX Runtime has no TensorrtExecutionProvider"),
    ],
)
def test_a_provider_that_is_not_there_is_the_reason(
    resnet: Family, technique: str, device: str, words: str
) -> None:
    cell = resnet.bench.cell("quantize", technique, PTQ, device=device)
    made = resnet.bench.run(cell, resnet.trained)
    assert made.status == "unsupported" and made.proof is None
    assert words in made.reason


def test_what_a_gpu_would_be_called_with_is_the_runtimes_own_interface() -> None:
    """Names of providers by the package, bound input and output by a call on the processor."""
    done = subprocess.run(
        [interpreter("onnxruntime-cpu"), "-c", PROVIDERS],
        check=True, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.startswith("ONNX Runtime could not load its CUDAExecutionProvider and took")
