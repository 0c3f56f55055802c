"""Binary and ternary networks: trained by Brevitas, executed bit by bit by qonnx, packed by Larq.

The fully connected one learns the digits; CNV is the same code with convolutions, and takes a step.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from manifests.manifest import Manifest
from runners.safetensors_file import NEUTRAL_FILE, read_arrays
from tests.frameworks.binary_benches import LEARNS, ONE_STEP, QUANTIZE, Both, both, operations
from tests.frameworks.cells import INFER, ok, samples

pytestmark = pytest.mark.frameworks

TIES = 2
LEARNT = 0.85
"""Signs turn over with the order of sums: another processor's training ends points away."""
TESTS_IN_BATCHES = 12 * 32
"""A fifth of the digits, and what fills the last batch."""


@pytest.fixture(scope="module")
def sfc(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both(tmp_path_factory.mktemp("sfc"), "sfc", 28)


@pytest.fixture(scope="module")
def binary(sfc: Both) -> Manifest:
    return sfc.trained("w1a1", LEARNS)


def flags(manifest: Manifest) -> list[str]:
    return [flag.name for flag in manifest.flags]


def test_a_binary_network_learns_the_digits(binary: Manifest) -> None:
    assert samples(binary, "accuracy")[0] >= LEARNT
    assert operations(binary) == {"binary": {"QuantLinear": 4}}
    assert samples(binary, "promised_share") == [1.0]
    assert "simulated-quantization" in flags(binary)
    size = binary.metric("model_size_bytes")
    assert size is not None and size.samples == [None] and "1 bit" in size.reason


def agrees(manifest: Manifest, label: str = "") -> bool:
    """On all images but one or two whose first logits are a tie of the trained network's.

    Which of both comes first depends on the order of sums, and so on the processor.
    """
    found = manifest.metric("agreement", label)
    assert found is not None and found.samples[0] is not None
    return found.items * (1 - found.samples[0]) < TIES + 0.5


def test_qonnx_executes_it_bit_by_bit(sfc: Both, binary: Manifest) -> None:
    made = ok(sfc.exported("w1a1", binary))
    # Inputs and sums of four products, for each image.
    numbers = made.metric("equal_inside")
    assert numbers is not None and numbers.samples == [1.0]
    assert numbers.items == TESTS_IN_BATCHES * (784 + 6 * 256 + 10)
    assert agrees(made) and agrees(made, "trained network")
    assert samples(made, "accuracy") == pytest.approx(samples(binary, "accuracy"), abs=TIES / 359)
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
    assert agrees(made) and agrees(made, "trained network")
    assert samples(made, "accuracy") == pytest.approx(samples(binary, "accuracy"), abs=TIES / 359)
    assert operations(made) == {"binary": {"LceBconv2d": 4}}
    timed = ok(sfc.larq.run(sfc.larq.cell("infer", "w1a1", INFER, batch_size=3), made))
    assert samples(timed, "latency_s")[0] > 0 and samples(timed, "steps_per_call") == [3]
    assert samples(timed, "promised_share") == [1.0]
    # A share of its products' time can't be told, and no number says so.
    assert samples(timed, "promised_time_share") == [None]


@pytest.mark.thorough
def test_float32_of_the_same_topology_is_larger(sfc: Both, binary: Manifest) -> None:
    trained = sfc.trained("float32", {**LEARNS, "epochs": 3})
    assert operations(trained) == {"float32": {"Linear": 4}}
    ok(sfc.brevitas.run(sfc.brevitas.cell("infer", "float32", INFER), trained))
    made = ok(sfc.packed("float32", trained))
    assert agrees(made, "float model")
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


@pytest.mark.thorough
def test_ternary_weights_are_ternary_and_exact(sfc: Both) -> None:
    trained = sfc.trained("w2a1", LEARNS)
    assert samples(trained, "accuracy")[0] >= LEARNT
    kernels = read_arrays(sfc.brevitas.folder / trained.id / NEUTRAL_FILE)
    assert sorted(np.unique(kernels["dense2.kernel"])) == [-1, 0, 1]
    made = ok(sfc.exported("w2a1", trained))
    assert samples(made, "equal_inside") == [1.0] == samples(made, "promised_share")
    assert sum(operations(made)["ternary"].values()) == 4
    assert samples(made, "model_size_bytes", "packed weights") == [2 * 41792]


@pytest.mark.thorough
def test_convolutions_are_binary_behind_the_first(tmp_path: Path) -> None:
    cnv = both(tmp_path, "cnv", 32)
    trained = cnv.trained("w1a1", ONE_STEP)
    made = ok(cnv.exported("w1a1", trained, test_images=40))
    assert samples(made, "equal_inside") == [1.0] and agrees(made)
    assert operations(made)["int8 x binary"] == {"Conv": 1}
    assert sum(operations(made)["binary"].values()) == 8
    packed = ok(cnv.packed("w1a1", trained, test_images=40))
    assert operations(packed) == {"float32": {"CONV_2D": 1}, "binary": {"LceBconv2d": 8}}
    assert agrees(packed, "trained network")
    # Where a sum meets a channel's threshold to the last digits, the packed file may take the
    # other side; after one step a network's answers hang on few of its signs.
    assert samples(packed, "agreement")[0] >= 0.9
