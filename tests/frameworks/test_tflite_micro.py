"""The interpreter for microcontrollers, really run on the files that TensorFlow left."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import INFER, Bench, ok, samples
from tests.frameworks.conftest import ROOT
from tests.frameworks.tflite_family import PRODUCTS, QUANTIZE, Family, run_on

pytestmark = pytest.mark.frameworks
TESTED = {**INFER, "test_images": 20}
# ResNet18 at 16 x 16: the stem, the first stage with four convolutions, three stages that halve the
# picture: a convolution that doubles the channels, three more, a shortcut.
CONVOLUTIONS = (
    256 * 27 * 64 + 4 * 256 * 576 * 64 + 3 * (64 * 576 * 128 + 3 * 64 * 1152 * 128 + 64 * 64 * 128)
)

# Runs in the environment of tflite-micro. An operation that it hasn't, and an arena's edges.
REFUSALS = """
import sys
from pathlib import Path
from tflite_micro.python.tflite_micro import runtime
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema
import flatbuffers
from runners.failures import Unsupported
from runners.tflite_micro.parts import arena
from runners.tflite_micro.parts.tflite_model import read_model

path = Path(sys.argv[1])
model = read_model(path)
use = arena.arena_use(arena.opened(model))
for memory, fits in ((use.total, True), (use.total - 1, False)):
    try:
        arena.check_memory(use, memory)
        print("fits" if fits else "should not fit")
    except Unsupported as refusal:
        print("should fit" if fits else refusal)
# So many bytes are enough indeed.
exact = runtime.Interpreter.from_bytes(model.content, arena_size=use.total + arena.ALIGNMENT_BYTES)
exact.invoke()
print("runs in", use.total, "bytes")

parsed = runtime.convert_bytearray_to_object(model.content)
for code in parsed.operatorCodes:
    if code.builtinCode == schema.BuiltinOperator.FULLY_CONNECTED:
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.RANGE
        code.version = 1
for operation in parsed.subgraphs[0].operators:
    if parsed.operatorCodes[operation.opcodeIndex].builtinCode == schema.BuiltinOperator.RANGE:
        operation.builtinOptionsType, operation.builtinOptions = 0, None
builder = flatbuffers.Builder(1024)
builder.Finish(parsed.Pack(builder), b"TFL3")
changed = path.with_name("range.tflite")
changed.write_bytes(bytes(builder.Output()))
try:
    arena.opened(read_model(changed))
except Unsupported as refusal:
    print(refusal)
"""


@pytest.fixture(scope="module")
def micro(tflite_family: Family) -> Bench:
    return tflite_family.beside("tflite-micro", framework="tflite_micro", batch_size=1)


@pytest.fixture(scope="module")
def measured(micro: Bench, tflite_family: Family) -> Manifest:
    return ok(micro.run(micro.cell("infer", "int8", TESTED), tflite_family.int8))


def test_an_int8_file_runs_in_int8(measured: Manifest) -> None:
    proof = measured.proof
    assert proof is not None and (proof.promised, proof.coverage) == ("int8", 1.0)
    assert proof.operations["int8"]["CONV_2D"] == PRODUCTS - 1 and proof.fallback == []
    assert "TensorFlow Lite Micro executed" in proof.source
    assert len(samples(measured, "latency_s")) == 3
    assert len(samples(measured, "end_to_end_s")) == 2
    assert measured.environment.packages["tflite_micro"].startswith("0.dev")


def test_it_tells_its_arena_and_its_multiply_adds(measured: Manifest) -> None:
    assert samples(measured, "multiply_adds", "CONV_2D") == [CONVOLUTIONS]
    assert samples(measured, "multiply_adds", "FULLY_CONNECTED") == [5120]
    assert samples(measured, "multiply_adds") == [CONVOLUTIONS + 5120]
    whole = samples(measured, "arena_bytes")[0]
    parts = [samples(measured, "arena_bytes", part)[0] for part in ("results", "persistent")]
    assert sum(parts) == pytest.approx(whole, abs=16)
    # Two results of the first block side by side: 16 x 16 x 64 each.
    assert parts[0] >= 2 * 16 * 16 * 64


def test_it_is_held_against_the_float_model_two_cells_before(
    measured: Manifest, tflite_family: Family
) -> None:
    fidelity = measured.fidelity
    assert fidelity is not None and fidelity.parent == tflite_family.trained.id
    assert fidelity.parent_outputs == f"passed on by cell {tflite_family.int8.id}"
    assert fidelity.images == 20 and samples(measured, "agreement")[0] > 0.8
    assert samples(measured, "sqnr_db")[0] > 10


def test_the_same_file_is_not_the_same_numbers_everywhere(measured: Manifest) -> None:
    shares = {metric.label: metric for metric in measured.labelled("equal_bytes")}
    assert list(shares) == [
        "LiteRT reference kernels", "LiteRT built-in kernels", "XNNPACK",
        "LiteRT reference kernels inside", "LiteRT built-in kernels inside",
    ]  # fmt: skip
    found = {label: metric.samples[0] for label, metric in shares.items()}
    assert all(share is not None and 0 < share <= 1 for share in found.values())
    assert found["LiteRT reference kernels"] > 0.95
    assert found["LiteRT reference kernels"] >= found["XNNPACK"]
    assert "of 320 bytes of the answers" in shares["XNNPACK"].source
    assert "bytes of all results" in shares["LiteRT reference kernels inside"].source


def test_a_float_file_runs_in_float32(micro: Bench, tflite_family: Family) -> None:
    found = ok(micro.run(micro.cell("infer", "float32", TESTED), tflite_family.float32))
    assert found.proof is not None
    assert (found.proof.promised, found.proof.coverage) == ("float32", 1.0)
    assert samples(found, "agreement") == [1.0] and samples(found, "sqnr_db")[0] > 80


def test_a_float_file_handed_in_as_int8_fails_its_proof(
    micro: Bench, tflite_family: Family
) -> None:
    found = micro.run(micro.cell("infer", "int8", INFER), tflite_family.float32)
    assert found.status == "unsupported" and found.metric("latency_s") is None
    assert found.proof is not None and (found.proof.promised, found.proof.coverage) == ("int8", 0)
    assert found.reason == "model.tflite computes nothing in int8: its operations are in float32"


def test_a_cortex_m_is_unsupported_with_what_it_would_need(
    micro: Bench, tflite_family: Family, measured: Manifest
) -> None:
    found = micro.run(micro.cell("infer", "cortex-m", INFER), tflite_family.int8)
    assert found.status == "unsupported" and not found.transient
    assert found.reason.startswith("needs a Cortex-M microcontroller with CMSIS-NN's kernels")
    for name in ("arena_bytes", "multiply_adds", "model_size_bytes"):
        assert samples(found, name) == samples(measured, name)
    assert found.metric("latency_s") is None
    assert found.proof is not None and found.proof.coverage is None
    assert found.proof.operations == (measured.proof.operations if measured.proof else None)


def test_an_arena_that_is_too_small_is_named(micro: Bench, tflite_family: Family) -> None:
    cell = micro.cell("infer", "cortex-m", INFER, variant="64-kib")
    found = micro.run(cell, tflite_family.int8)
    size = samples(found, "arena_bytes")[0]
    assert size > 65_536 and found.status == "unsupported"
    assert found.reason == (
        f"arena too small: the model needs {size:,} bytes, and there are 65,536"
    )


def test_what_it_cant_run_is_refused_in_its_own_words(micro: Bench, tflite_family: Family) -> None:
    path = micro.folder / tflite_family.int8.id / "model.tflite"
    copy = micro.folder / "copy.tflite"
    copy.write_bytes(path.read_bytes())
    done = subprocess.run(
        [micro.python, "-c", REFUSALS, copy], cwd=ROOT, capture_output=True, text=True, check=True
    )
    fits, small, runs, lacking = done.stdout.splitlines()
    assert fits == "fits" and small.startswith("arena too small: the model needs ")
    assert runs.startswith("runs in ")
    assert lacking.startswith("TensorFlow Lite Micro refuses range.tflite: ")
    assert "RANGE" in lacking


def test_a_hybrid_file_is_not_called_int8(micro: Bench, tflite_family: Family) -> None:
    bench = tflite_family.beside("litert-cpu", batch_size=4)
    cell = bench.cell("quantize", "ptq-aieq", QUANTIZE, variant="dynamic")
    hybrid = ok(bench.run(cell, tflite_family.float32))
    content = tflite_family.content(hybrid)
    found = run_on(micro, micro.cell("infer", "int8", INFER, seed=8), content, hybrid)
    assert found.status == "unsupported" and found.metric("latency_s") is None
    assert found.reason == (
        "model.tflite computes nothing in int8: its operations are in hybrid int8, float32"
    )


def test_other_batches_and_pictures_are_refused_by_name(
    micro: Bench, tflite_family: Family
) -> None:
    found = micro.run(micro.cell("infer", "int8", INFER, batch_size=32), tflite_family.int8)
    assert found.status == "unsupported"
    assert found.reason == (
        "model.tflite takes 1 x 16 x 16 x 3; the cell has 32 x 16 x 16 x 3, and TensorFlow Lite "
        "Micro can't resize a model"
    )


@pytest.mark.parametrize("kind", ["cut off", "cut off at the end", "another format", "empty"])
def test_what_is_no_model_is_refused_by_name(
    micro: Bench, tflite_family: Family, kind: str, tmp_path: Path
) -> None:
    whole = tflite_family.content(tflite_family.int8)
    content = {
        "cut off": whole[: len(whole) // 2],
        "cut off at the end": whole[:-100],
        "another format": b"\x08\x07\x12\x07pytorch" + bytes(3000),
        "empty": b"",
    }[kind]
    cell = micro.cell("infer", "int8", INFER, seed=10 + len(content) % 1000)
    found = run_on(micro, cell, content, tflite_family.int8)
    assert found.status == "unsupported" and found.proof is None
    assert found.reason.startswith("model.tflite is not a TFLite model: "), found.reason
