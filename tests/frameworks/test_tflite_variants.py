"""TFLite's further ways to quantize, really run, each with the proof that its file deserves."""

from __future__ import annotations

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import INFER, ok, samples
from tests.frameworks.tflite_family import PRODUCTS, QUANTIZE, Family, run_on

pytestmark = pytest.mark.frameworks


def quantized(family: Family, technique: str, size: float) -> Manifest:
    """The cell of a technique, whose file is so much smaller than the float32 one."""
    found = ok(family.bench.run(family.bench.cell("quantize", technique, QUANTIZE), family.trained))
    whole = samples(family.float32, "model_size_bytes")[0]
    assert samples(found, "model_size_bytes")[0] / whole == pytest.approx(size, abs=0.03)
    assert found.fidelity is not None and found.fidelity.images == 40
    assert found.fidelity.unmatched == [] and found.fidelity.worst_layer
    timed = ok(family.bench.run(family.bench.cell("infer", technique, INFER), found))
    assert len(samples(timed, "latency_s")) == 3 and timed.proof == found.proof
    return found


def test_dynamic_range_is_called_hybrid(tflite_family: Family) -> None:
    found = quantized(tflite_family, "dynamic-tflite", 0.25)
    proof = found.proof
    assert proof is not None and proof.promised == "hybrid int8" and "int8" not in proof.operations
    hybrid, left = proof.operations["hybrid int8"], proof.operations["float32"]
    assert hybrid["FULLY_CONNECTED"] == 1
    assert hybrid["CONV_2D"] + left.get("CONV_2D", 0) == PRODUCTS - 1
    assert proof.coverage == pytest.approx(sum(hybrid.values()) / PRODUCTS)
    assert "hybrid kernels quantize float32 activations at each call" in proof.source
    assert "XNNPACK executes" in proof.source
    assert samples(found, "agreement")[0] > 0.9


def test_float16_weights_are_computed_with_in_float32(tflite_family: Family) -> None:
    found = quantized(tflite_family, "float16-tflite", 0.5)
    proof = found.proof
    assert proof is not None and (proof.promised, proof.coverage) == ("float16", 0.0)
    assert proof.operations["float32 from float16 weights"] == {
        "CONV_2D": PRODUCTS - 1, "FULLY_CONNECTED": 1,
    }  # fmt: skip
    assert "CONV_2D x20 in float32 from float16 weights" in proof.fallback
    assert "weights in float16 are made float32 before the first call" in proof.source
    assert f"XNNPACK executes {PRODUCTS} in float32 from float16 weights" in proof.source
    assert samples(found, "sqnr_db")[0] > 40


@pytest.mark.thorough
def test_int16_activations_are_computed_by_own_kernels(tflite_family: Family) -> None:
    found = quantized(tflite_family, "ptq-int16x8", 0.25)
    proof = found.proof
    assert proof is not None and (proof.promised, proof.coverage) == ("int16x8", 1.0)
    assert proof.operations["int16x8"] == {"CONV_2D": PRODUCTS - 1, "FULLY_CONNECTED": 1}
    assert proof.fallback == []
    assert f"TFLite's own kernels execute {PRODUCTS} in int16x8" in proof.source
    assert samples(found, "sqnr_db")[0] > 10  # far below int8: what it loses is a finding


@pytest.mark.parametrize(("variant", "kind"), [("", "int8"), ("dynamic", "hybrid int8")])
def test_another_quantizer_takes_the_float_file(
    tflite_family: Family, variant: str, kind: str
) -> None:
    bench = tflite_family.beside("litert-cpu")
    cell = bench.cell("quantize", "ptq-aieq", QUANTIZE, variant=variant)
    found = ok(bench.run(cell, tflite_family.float32))
    proof, fidelity = found.proof, found.fidelity
    assert proof is not None and (proof.promised, proof.coverage) == (kind, 1.0)
    assert sum(proof.operations[kind].values()) >= PRODUCTS
    # The float model is the one that was trained, not the file that came between.
    assert fidelity is not None and fidelity.parent == tflite_family.trained.id
    assert fidelity.parent_outputs == f"passed on by cell {tflite_family.float32.id}"
    assert samples(found, "sqnr_db")[0] > 10
    assert (found.metric("calibration_s") is None) == bool(variant)
    assert (fidelity.layers_reason, fidelity.unmatched) == ("", [])
    cumulative = [m for m in found.labelled("sqnr_db") if m.source.startswith("cumulative")]
    assert len(cumulative) >= PRODUCTS and fidelity.worst_layer in {m.label for m in cumulative}
    timed = ok(bench.run(bench.cell("infer", "ptq-aieq", INFER, variant=variant), found))
    assert timed.proof == proof and timed.fidelity is None


def test_what_is_no_model_is_refused_by_name(tflite_family: Family) -> None:
    bench = tflite_family.beside("litert-cpu")
    whole = tflite_family.content(tflite_family.float32)
    for seed, content in enumerate((whole[: len(whole) // 2], b"PK\x03\x04" + bytes(2000), b"")):
        cell = bench.cell("infer", "tflite-float32", INFER, seed=seed)
        found = run_on(bench, cell, content, tflite_family.float32)
        assert found.status == "unsupported" and found.metric("latency_s") is None
        assert found.reason.startswith("model.tflite is not a TFLite model: "), found.reason


def test_a_float_file_handed_in_as_int8_fails_its_proof(tflite_family: Family) -> None:
    bench = tflite_family.beside("litert-cpu")
    content = tflite_family.content(tflite_family.float32)
    found = run_on(bench, bench.cell("infer", "ptq-tflite", INFER), content, tflite_family.float32)
    assert found.status == "unsupported" and found.metric("latency_s") is None
    assert found.proof is not None and (found.proof.promised, found.proof.coverage) == ("int8", 0)
    assert found.reason == ("model.tflite computes nothing in int8: its operations are in float32")
