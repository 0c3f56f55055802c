"""What a binary network can't be made from, and what isn't one: refused by name, never a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manifests.manifest import Manifest
from tests.frameworks.binary_benches import ONE_STEP, QUANTIZE, Both, both, run_after
from tests.frameworks.cells import INFER, Bench, ok

pytestmark = pytest.mark.frameworks

NO_QUANTIZERS = """
from runners.brevitas.parts import network
network._product = lambda product, scheme, made=network._product: made(product, network.FLOAT)
network._sign = network.nn.Identity
"""
A_FLOAT_FILE = """
from runners.brevitas.parts import network, steps
def write(model, batch, path, written=steps.write_qonnx):
    same = network.Network(model.described, network.FLOAT)
    network.load_arrays(same, network.arrays_of(model))
    written(same.eval(), batch, path)
steps.write_qonnx = write
"""
A_FLOAT_CONVERSION = """
import os
os.environ["TF_USE_LEGACY_KERAS"] = "1"
from runners.larq.parts import steps
def convert(model, converted=steps.larq_compute_engine.convert_keras_model):
    for layer in model.layers:
        layer.input_quantizer = layer.kernel_quantizer = None
    return converted(model)
steps.larq_compute_engine.convert_keras_model = convert
"""


@pytest.fixture(scope="module")
def tfc(tmp_path_factory: pytest.TempPathFactory) -> Both:
    return both(tmp_path_factory.mktemp("tfc"), "tfc", 28)


@pytest.fixture(scope="module")
def binary(tfc: Both) -> Manifest:
    return tfc.trained("w1a1", ONE_STEP)


def _turned(arrays: dict[str, Any]) -> None:
    arrays["dense2.kernel"] = np.ascontiguousarray(-arrays["dense2.kernel"])


def _not_a_number(arrays: dict[str, Any]) -> None:
    arrays["dense2.kernel"][0, 0] = np.nan


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_turned, "this isn't the network that was trained"),
        (_not_a_number, "'dense2.kernel' of the neutral weights holds values that aren't finite"),
    ],
)
def test_other_weights_are_refused_by_name(
    tfc: Both, binary: Manifest, change: Any, words: str
) -> None:
    other = tfc.changed(binary, change)
    for made in (tfc.exported("w1a1", other), tfc.packed("w1a1", other)):
        assert made.status == "unsupported" and made.reason.startswith(words)
        assert made.proof is None and made.metric("accuracy") is None


def failed(made: Manifest) -> str:
    """The reason of a cell whose proof failed; it has neither accuracy nor time."""
    assert made.status == "unsupported"
    assert made.proof is not None and made.proof.promised == "binary"
    assert made.metric("accuracy") is None and made.metric("latency_s") is None
    return made.reason


def test_a_training_without_quantizers_is_never_binary(tfc: Both) -> None:
    cell = tfc.brevitas.cell("train", "w1a1", ONE_STEP)
    assert failed(run_after(tfc.brevitas, NO_QUANTIZERS, cell)) == (
        "the proof failed: 0 of the 4 products that have to be binary in tfc are: "
        "Linear x4 in float32"
    )


def test_a_qonnx_file_without_quantizers_is_never_binary(tfc: Both, binary: Manifest) -> None:
    cell = tfc.brevitas.cell("quantize", "w1a1", QUANTIZE)
    reason = failed(run_after(tfc.brevitas, A_FLOAT_FILE, cell, binary))
    # The weights are -1 and 1 still; what they multiply isn't.
    assert reason.startswith("the proof failed: 0 of the 4 products") and "x binary" in reason


def test_a_conversion_that_stays_float_is_never_binary(tfc: Both, binary: Manifest) -> None:
    cell = tfc.larq.cell("quantize", "w1a1", QUANTIZE)
    reason = failed(run_after(tfc.larq, A_FLOAT_CONVERSION, cell, binary))
    assert reason.endswith("in tfc are: CONV_2D x4 in float32")


@pytest.mark.thorough
def test_the_float_files_inference_is_never_binary(tfc: Both) -> None:
    trained = tfc.trained("float32", ONE_STEP)
    file = ok(tfc.packed("float32", trained, test_images=40))
    timed = tfc.larq.run(tfc.larq.cell("infer", "w1a1", INFER), file)
    assert failed(timed).endswith("in tfc are: CONV_2D x4 in float32")


CONTENTS = (b"nothing of the kind", b"\x1c\0\0\0TFL3" + b"\0" * 400)


@pytest.mark.thorough
def test_files_that_arent_qonnx_are_refused_by_name(tfc: Both, binary: Manifest) -> None:
    made = ok(tfc.exported("w1a1", binary))
    for content in CONTENTS:
        refused = timed_from(tfc.brevitas, tfc.with_file(made, "model.qonnx.onnx", content))
        assert "is no QONNX file" in refused.reason


@pytest.mark.thorough
def test_files_that_larqs_engine_cant_open_are_refused_by_name(tfc: Both, binary: Manifest) -> None:
    made = ok(tfc.packed("w1a1", binary))
    for content in CONTENTS:
        refused = timed_from(tfc.larq, tfc.with_file(made, "model.tflite", content))
        assert "Larq Compute Engine can't open the file" in refused.reason


def timed_from(bench: Bench, made: Manifest) -> Manifest:
    """An inference that has nothing to time."""
    timed = bench.run(bench.cell("infer", "w1a1", INFER), made)
    assert timed.status == "unsupported"
    assert timed.proof is None and timed.metric("latency_s") is None
    return timed


def test_a_toolchain_that_isnt_installed_is_named(tfc: Both, binary: Manifest) -> None:
    brevitas = tfc.brevitas._replace(python=tfc.larq.python)
    larq = tfc.larq._replace(python=tfc.brevitas.python)
    made = brevitas.run(brevitas.cell("train", "w2a1", ONE_STEP))
    assert made.status == "crashed" and "No module named 'torch'" in made.reason
    made = larq.run(larq.cell("quantize", "w1a1", {**QUANTIZE, "test_images": 39}), binary)
    assert made.status == "crashed" and "No module named 'larq_compute_engine'" in made.reason
