"""Binary and ternary networks: trained by Brevitas, executed bit by bit by qonnx, packed by Larq.

The fully connected one learns the digits; CNV is the same code with convolutions, and takes a step.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest

from manifests.artifacts import file_sha256
from manifests.codec import write_manifest
from manifests.manifest import Manifest
from runners.safetensors_file import NEUTRAL_FILE, read_arrays, write_arrays
from tests.frameworks.cells import INFER, Bench, digits_bench, ok, samples
from tests.frameworks.conftest import interpreter

pytestmark = pytest.mark.frameworks

LEARNS = {"optimizer": "adam", "epochs": 25, "train_images": 0, "test_images": 0,
          "learning_rate": 0.02, "falls_to": 0.01}  # fmt: skip
ONE_STEP = {**LEARNS, "epochs": 1, "train_images": 32, "test_images": 40}
QUANTIZE = {"calibration_images": 0, "test_images": 0}
TESTS = 359
"""A fifth of the digits."""


class Both(NamedTuple):
    """Cells of one network in both environments, on one data pack and in one folder."""

    brevitas: Bench
    larq: Bench

    def trained(self, technique: str, recipe: dict[str, Any]) -> Manifest:
        return ok(self.brevitas.run(self.brevitas.cell("train", technique, recipe)))

    def exported(self, technique: str, parent: Manifest, **recipe: Any) -> Manifest:
        cell = self.brevitas.cell("quantize", technique, {**QUANTIZE, **recipe})
        return self.brevitas.run(cell, parent)

    def packed(self, technique: str, parent: Manifest, **recipe: Any) -> Manifest:
        cell = self.larq.cell("quantize", technique, {**QUANTIZE, **recipe})
        return self.larq.run(cell, parent)


def both(folder: Path, model: str, size: int) -> Both:
    torch = digits_bench(interpreter("brevitas-cpu"), folder, model, size)
    base = {**torch.base, "batch_size": 32, "framework": "brevitas"}
    larq = torch._replace(python=interpreter("larq-cpu"), base={**base, "framework": "larq"})
    return Both(torch._replace(base=base), larq)


@pytest.fixture(scope="module")
def sfc(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both(tmp_path_factory.mktemp("sfc"), "sfc", 28)


@pytest.fixture(scope="module")
def binary(sfc: Both) -> Manifest:
    return sfc.trained("w1a1", LEARNS)


def operations(manifest: Manifest) -> dict[str, dict[str, int]]:
    assert manifest.proof is not None
    return manifest.proof.operations


def flags(manifest: Manifest) -> list[str]:
    return [flag.name for flag in manifest.flags]


def test_a_binary_network_learns_the_digits(binary: Manifest) -> None:
    assert samples(binary, "accuracy")[0] >= 0.9
    assert operations(binary) == {"binary": {"QuantLinear": 4}}
    assert samples(binary, "promised_share") == [1.0]
    assert "simulated-quantization" in flags(binary)
    size = binary.metric("model_size_bytes")
    assert size is not None and size.samples == [None] and "1 bit" in size.reason


def test_qonnx_executes_it_bit_by_bit(sfc: Both, binary: Manifest) -> None:
    made = ok(sfc.exported("w1a1", binary))
    # Inputs and sums of four products, for each image of 12 batches of 32.
    numbers = made.metric("equal_inside")
    assert numbers is not None and numbers.samples == [1.0]
    assert numbers.items == 12 * 32 * (784 + 6 * 256 + 10)
    assert samples(made, "agreement") == [1.0] == samples(made, "agreement", "trained network")
    assert samples(made, "accuracy") == samples(binary, "accuracy")
    assert samples(made, "promised_share") == [1.0]
    assert sum(operations(made)["binary"].values()) == 4
    assert samples(made, "model_size_bytes", "packed weights") == [41792]
    timed = ok(sfc.brevitas.run(sfc.brevitas.cell("infer", "w1a1", INFER), made))
    latency = timed.metric("latency_s")
    assert latency is not None and latency.samples == [None] and "node by node" in latency.reason
    board = sfc.brevitas.run(sfc.brevitas.cell("infer", "fpga", INFER), made)
    assert board.status == "unsupported" and "FPGA board" in board.reason
    assert samples(board, "model_size_bytes", "packed weights") == [41792]


def test_larq_executes_the_same_network_packed(sfc: Both, binary: Manifest) -> None:
    made = ok(sfc.packed("w1a1", binary))
    assert samples(made, "agreement", "trained network") == [1.0]
    assert samples(made, "agreement") == [1.0]
    assert samples(made, "accuracy") == samples(binary, "accuracy")
    assert operations(made) == {"binary": {"LceBconv2d": 4}}
    timed = ok(sfc.larq.run(sfc.larq.cell("infer", "w1a1", INFER, batch_size=3), made))
    assert samples(timed, "latency_s")[0] > 0 and samples(timed, "steps_per_call") == [3]
    assert samples(timed, "promised_share") == [1.0]
    # A share of its products' time can't be told, and no number says so.
    assert samples(timed, "promised_time_share") == [None]


def test_float32_of_the_same_topology_is_larger(sfc: Both, binary: Manifest) -> None:
    trained = sfc.trained("float32", {**LEARNS, "epochs": 3})
    assert operations(trained) == {"float32": {"Linear": 4}}
    ok(sfc.brevitas.run(sfc.brevitas.cell("infer", "float32", INFER), trained))
    made = ok(sfc.packed("float32", trained))
    assert samples(made, "agreement", "float model") == [1.0]
    assert samples(made, "logit_difference")[0] <= 1e-3
    assert set(operations(made)) == {"float32"}
    (size,) = samples(made, "model_size_bytes")
    cell = msgspec.structs.replace(
        sfc.larq.cell("quantize", "w1a1", QUANTIZE), weights_from=binary.id
    )
    packed = sfc.larq.folder / cell.id / "model.tflite"
    if not packed.exists():
        ok(sfc.packed("w1a1", binary))
    assert size > 334_336 * 4 and packed.stat().st_size < size / 8


def test_ternary_weights_are_ternary_and_exact(sfc: Both) -> None:
    trained = sfc.trained("w2a1", LEARNS)
    assert samples(trained, "accuracy")[0] >= 0.9
    kernels = read_arrays(sfc.brevitas.folder / trained.id / NEUTRAL_FILE)
    assert sorted(np.unique(kernels["dense2.kernel"])) == [-1, 0, 1]
    made = ok(sfc.exported("w2a1", trained))
    assert samples(made, "equal_inside") == [1.0] == samples(made, "promised_share")
    assert sum(operations(made)["ternary"].values()) == 4
    assert samples(made, "model_size_bytes", "packed weights") == [2 * 41792]


def test_convolutions_are_binary_behind_the_first(tmp_path: Path) -> None:
    cnv = both(tmp_path, "cnv", 32)
    trained = cnv.trained("w1a1", ONE_STEP)
    made = ok(cnv.exported("w1a1", trained, test_images=40))
    assert samples(made, "equal_inside") == [1.0] == samples(made, "agreement")
    assert operations(made)["int8 x binary"] == {"Conv": 1}
    assert sum(operations(made)["binary"].values()) == 8
    packed = ok(cnv.packed("w1a1", trained, test_images=40))
    assert operations(packed) == {"float32": {"CONV_2D": 1}, "binary": {"LceBconv2d": 8}}
    assert samples(packed, "agreement") == [1.0]


def changed(sfc: Both, trained: Manifest, change: Any) -> Manifest:
    """The same training with weights that ``change`` made of its own."""
    folder = sfc.brevitas.folder
    seed = trained.cell.seed + len(list(folder.iterdir()))
    cell = msgspec.structs.replace(trained.cell, seed=seed)
    place = folder / cell.id
    shutil.copytree(folder / trained.id, place)
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
    return found


def _turned(arrays: dict[str, Any]) -> None:
    arrays["dense2.kernel"] = np.ascontiguousarray(-arrays["dense2.kernel"])


def test_other_weights_are_refused_by_name(sfc: Both, binary: Manifest) -> None:
    other = changed(sfc, binary, _turned)
    for made in (sfc.exported("w1a1", other), sfc.packed("w1a1", other)):
        assert made.status == "unsupported" and made.proof is None
        assert made.reason.startswith("this isn't the network that was trained")
