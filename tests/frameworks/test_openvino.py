"""OpenVINO cells from weights that PyTorch trained: the same network, and really INT8."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from runners.safetensors_file import NEUTRAL_FILE, read_arrays, write_arrays
from tests.frameworks.cells import ADAM, INFER, Bench, digits_bench, ok, samples
from tests.frameworks.conftest import ROOT, interpreter

pytestmark = pytest.mark.frameworks

RECIPE = {**ADAM, "learning_rate": 1e-3}
PTQ = {"calibration_images": 16, "test_images": 40}
OPERATIONS = 30
"""27 convolutions and 3 dense layers, of which OpenVINO fuses two into one kernel."""


class Family:
    """MobileNet_v1 that PyTorch trained, and cells of OpenVINO that start from it."""

    def __init__(self, folder: Path) -> None:
        self.torch: Bench = digits_bench(interpreter("pytorch-cpu"), folder, "mobilenet-v1", 32)
        base = {**self.torch.base, "framework": "openvino"}
        self.bench: Bench = self.torch._replace(python=interpreter("openvino-cpu"), base=base)
        self.trained = ok(self.torch.run(self.torch.cell("train", "float32", RECIPE)))

    def quantized(self, technique: str, variant: str = "", **recipe: Any) -> Manifest:
        cell = self.bench.cell("quantize", technique, {**PTQ, **recipe}, variant=variant)
        return self.bench.run(cell, self.trained)

    def timed(self, technique: str, parent: Manifest) -> Manifest:
        recipe = {**INFER, "test_images": 40}
        return self.bench.run(self.bench.cell("infer", technique, recipe), parent)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return Family(tmp_path_factory.mktemp("mobilenet"))


def operations(manifest: Manifest) -> dict[str, dict[str, int]]:
    assert manifest.proof is not None
    return manifest.proof.operations


def counts(manifest: Manifest) -> dict[str, int]:
    return {kind: sum(names.values()) for kind, names in operations(manifest).items()}


def test_float32_is_the_network_that_pytorch_trained(family: Family) -> None:
    made = ok(family.quantized("float32"))
    (difference,) = samples(made, "logit_difference")
    assert 0 < difference <= 1e-3
    assert samples(made, "agreement", "float model") == [1.0] == samples(made, "agreement")
    assert samples(made, "accuracy") == samples(family.trained, "accuracy")
    timed = ok(family.timed("float32", made))
    assert counts(made) == counts(timed) == {"float32": OPERATIONS}
    assert timed.environment.settings["INFERENCE_PRECISION_HINT"] == "f32"
    assert timed.environment.settings["INFERENCE_NUM_THREADS"] == str(timed.environment.threads)


@pytest.mark.first(1)
@pytest.mark.parametrize("variant", ["", "full-bias", "no-bias"])
def test_nncf_makes_int8_that_runs_in_int8(family: Family, variant: str) -> None:
    made = ok(family.quantized("ptq-nncf", variant))
    assert samples(made, "calibration_s")[0] > 0 and samples(made, "convert_s")[0] > 0
    # 3.3 million weights of a byte, and scales.
    assert samples(made, "model_size_bytes")[0] < 4.2e6
    assert sum(counts(made).values()) == OPERATIONS
    int8 = operations(made)["int8"]
    assert all(name.endswith("I8") for name in int8) and sum(int8.values()) >= 15
    assert samples(made, "agreement", "float model") == [1.0]
    assert made.fidelity is not None and made.fidelity.parent == family.trained.id
    assert made.fidelity.worst_layer and made.fidelity.unmatched == []
    assert samples(made, "sqnr_db")[0] > 5


def test_a_timed_cell_takes_its_time_apart(family: Family) -> None:
    timed = ok(family.timed("ptq-nncf", ok(family.quantized("ptq-nncf", test_images=20))))
    inside = sum(m.samples[0] or 0.0 for m in timed.labelled("op_time_s"))
    (outside,) = samples(timed, "outside_operations_s")
    (profiling,) = samples(timed, "profiling_s")
    latency = float(np.median([float(s) for s in samples(timed, "latency_s")]))
    assert inside > 0 and inside + outside - profiling == pytest.approx(latency, rel=1e-6)
    assert 0 < samples(timed, "promised_time_share")[0] <= 1.0
    assert timed.proof is not None and "instruction sets" in timed.proof.source


def test_accuracy_control_judges_by_training_images(family: Family) -> None:
    made = ok(family.quantized("ptq-nncf-accuracy"))
    assert counts(made)["int8"] >= 1
    assert made.inputs.dataset is not None
    assert made.inputs.dataset.used == {"test": 40, "calibration": 16, "train": 256}


ASKED = """
import openvino
core = openvino.Core()
print(*core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
"""


@pytest.mark.parametrize(
    ("technique", "promised", "able"),
    [("bfloat16", "bfloat16", "BF16"), ("float16", "float16", "FP16")],
)
def test_a_processor_without_that_precision_fails_the_proof(
    family: Family, technique: str, promised: str, able: str
) -> None:
    done = subprocess.run(
        [family.bench.python, "-c", ASKED], check=True, capture_output=True, text=True
    )
    timed = family.timed(technique, family.trained)
    if able in done.stdout.split():
        assert counts(ok(timed)) == {promised: OPERATIONS}
        return
    assert timed.status == "unsupported" and timed.metric("latency_s") is None
    assert timed.reason.startswith(f"the proof failed: nothing would run in {promised}")
    assert timed.proof is not None and timed.proof.coverage == 0.0


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("converted", "technique", "kind"),
    [
        ("tflite-float32", "from-tflite-float32", "float32"),
        ("ptq-tflite", "from-tflite-int8", "int8"),
    ],
)
def test_tensorflows_file_in_openvino(
    family: Family, converted: str, technique: str, kind: str
) -> None:
    base = {**family.torch.base, "framework": "tensorflow"}
    bench = family.torch._replace(python=interpreter("tensorflow-cpu"), base=base)
    file = ok(bench.run(bench.cell("quantize", converted, PTQ), family.trained))
    timed = ok(family.timed(technique, file))
    assert sum(counts(timed).values()) == OPERATIONS and counts(timed)[kind] >= 15
    # One of 40 images may fall the other way: rounding to INT8 is each runtime's own.
    assert samples(timed, "accuracy")[0] == pytest.approx(samples(file, "accuracy")[0], abs=0.026)


def test_a_gpu_that_isnt_there_is_named(family: Family) -> None:
    cell = family.bench.cell("infer", "float32", INFER, device="gpu")
    made = family.bench.run(cell, family.trained)
    assert made.status in ("unsupported", "ok")
    if made.status == "unsupported":
        assert made.reason.startswith("OpenVINO sees no GPU here, only CPU")


def test_int8_is_never_timed_from_float_weights(family: Family) -> None:
    timed = family.timed("ptq-nncf", family.trained)
    assert timed.status == "unsupported" and timed.proof is None
    assert "what a quantize cell of openvino left; this one starts from a cell of pytorch" in (
        timed.reason
    )


def test_nan_in_weights_is_never_quantized(family: Family, tmp_path: Path) -> None:
    spoiled = family.bench.folder / "spoiled"
    shutil.copytree(family.bench.folder / family.trained.id, spoiled)
    (spoiled / "manifest.json").unlink()
    arrays = read_arrays(spoiled / NEUTRAL_FILE)
    arrays["conv1.kernel"][0, 0, 0, 0] = np.nan
    write_arrays(spoiled / NEUTRAL_FILE, arrays, {})
    cell = family.bench.cell(
        "quantize", "ptq-nncf", {**PTQ, "test_images": 39}, weights_from="spoiled"
    )
    made = in_process(family, cell, tmp_path, "")
    assert made.status == "unsupported" and made.proof is None
    assert "'conv1.kernel' of the neutral weights holds values that aren't finite" in made.reason


UNCHANGED = "import nncf; nncf.quantize = lambda model, *more, **named: model\n"
UNNOTICED = """
from runners.openvino.parts import quantization
quantization.check_quantized = lambda network: None
"""
RUN = """
import sys
from runners.__main__ import main
sys.exit(main())
"""


def in_process(family: Family, cell: Any, folder: Path, before: str) -> Manifest:
    """The cell's manifest, with ``before`` run in its process."""
    place = folder / cell.id
    place.mkdir()
    (place / "cell.json").write_bytes(msgspec.json.encode(cell))
    weights = family.bench.folder / str(cell.weights_from)
    subprocess.run(
        [family.bench.python, "-c", before + RUN, place / "cell.json", place,
         "--data", family.bench.data, "--weights", weights],
        cwd=ROOT, check=False, capture_output=True, timeout=300,
    )  # fmt: skip
    return read_manifest(place / "manifest.json")


@pytest.mark.parametrize(
    ("before", "words", "proven"),
    [
        (UNCHANGED, "NNCF returned the float network unchanged", False),
        (UNCHANGED + UNNOTICED, "the proof failed: nothing would run in int8: Convolution", True),
    ],
)
def test_a_quantizer_that_changes_nothing_is_never_int8(
    family: Family, tmp_path: Path, before: str, words: str, proven: bool
) -> None:
    cell = family.bench.cell("quantize", "ptq-nncf", PTQ, weights_from=family.trained.id)
    made = in_process(family, cell, tmp_path, before)
    assert made.status == "unsupported" and made.reason.startswith(words)
    assert made.metric("accuracy") is None
    assert (made.proof is not None and made.proof.coverage == 0.0) == proven


REFUSED = """
import json, sys
from pathlib import Path
import onnx, openvino
from onnx import TensorProto, helper
from runners.failures import classify
from runners.openvino.parts import networks
folder, left = Path(sys.argv[1]), Path(sys.argv[2])
entry, exit_ = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 3]) for n in "xy")
node = helper.make_node("Wobble", ["x"], ["y"], domain="nobody")
sets = [helper.make_opsetid("", 17), helper.make_opsetid("nobody", 1)]
graph = helper.make_graph([node], "refused", [entry], [exit_])
onnx.save(helper.make_model(graph, opset_imports=sets), str(folder / "operator.onnx"))
xml, constants = (left / "model.xml").read_text(), (left / "model.bin").read_bytes()
def written(name, text, kept):
    (folder / f"{name}.xml").write_text(text)
    (folder / f"{name}.bin").write_bytes(constants[:kept])
written("other-version", xml.replace('version="11"', 'version="99"', 1), None)
written("truncated", xml[:3000], None)
written("short", xml, 100)
(folder / "truncated.onnx").write_bytes((folder / "operator.onnx").read_bytes()[:40])
(folder / "truncated.tflite").write_bytes(b"\\x1c\\0\\0\\0TFL3" + b"\\0" * 40)
found = {}
for path in sorted(folder.glob("*.*")):
    if path.suffix != ".bin":
        try:
            networks.read(path)
        except Exception as error:
            found[path.name] = list(classify(error)[:2])
print(json.dumps(found))
"""


def test_files_that_openvino_refuses_are_unsupported_by_name(
    family: Family, tmp_path: Path
) -> None:
    left = family.bench.folder / ok(family.quantized("float32", test_images=38)).id
    done = subprocess.run(
        [family.bench.python, "-c", REFUSED, tmp_path, left],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    assert sorted(found) == [
        "operator.onnx", "other-version.xml", "short.xml", "truncated.onnx", "truncated.tflite",
        "truncated.xml",
    ]  # fmt: skip
    for name, (status, reason) in found.items():
        assert status == "unsupported" and reason.startswith(f"OpenVINO can't read {name}: ")
        assert "src/" not in reason
    assert "nobody.Wobble" in found["operator.onnx"][1]
    assert "Incorrect weights in bin file" in found["short.xml"][1]
