"""Profiles of ONNX Runtime 1.31, recorded from MobileNet_v1 in five forms: two calls, or one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runners.onnxruntime.parts.profiles import operations_of, read_profile, runs_of
from runners.precision_proof import proof_of

RECORDED = Path(__file__).parent / "recorded" / "onnxruntime-profiles.json"
PROFILES: dict[str, list[dict[str, Any]]] = json.loads(RECORDED.read_text())
CALLS = {"u8s8": 2, "u8u8": 1, "qop": 1, "dyn": 1, "f32": 2}
STATIC = {"QLinearConv uint8 x int8": 27, "QGemm uint8 x int8": 3}


@pytest.mark.parametrize(
    ("form", "kind", "expected"),
    [
        ("u8s8", "int8", STATIC),
        ("qop", "int8", STATIC),
        ("u8u8", "int8", {"QLinearConv uint8 x uint8": 27, "QGemm uint8 x uint8": 3}),
        ("dyn", "int8",
         {"ConvInteger uint8 x uint8": 27, "DynamicQuantizeMatMul uint8 x uint8": 3}),
        ("f32", "float32", {"Conv": 27, "FusedGemm": 2, "Gemm": 1}),
    ],
)  # fmt: skip
def test_convolutions_and_products_are_counted_by_type(
    form: str, kind: str, expected: dict[str, int]
) -> None:
    runs = runs_of(PROFILES[form])
    assert len(runs) == CALLS[form]
    proof = proof_of(operations_of(runs), kind, "")
    assert proof.operations == {kind: expected} and proof.coverage == 1.0
    assert proof_of(operations_of(runs), "bfloat16", "").coverage == 0.0


@pytest.mark.parametrize("form", CALLS)
def test_what_is_counted_is_all_that_was_timed(form: str) -> None:
    runs = runs_of(PROFILES[form])
    events = [e for e in PROFILES[form] if e["cat"] == "Node"]
    operations = operations_of(runs)
    assert sum(len(run.kernels) for run in runs) == len(events)
    assert sum(one.times for one in operations) * CALLS[form] == len(events)
    timed_us = sum(event["dur"] for event in events) / CALLS[form]
    assert sum(one.seconds or 0 for one in operations) == pytest.approx(timed_us * 1e-6)
    # The runtime's own total of a call is more than what its kernels take.
    assert all(run.seconds > sum(k.duration_us for k in run.kernels) * 1e-6 for run in runs)


def test_around_the_products_of_a_dynamic_model_stands_much_that_is_none() -> None:
    others = {
        one.name: one.times for one in operations_of(runs_of(PROFILES["dyn"])) if not one.kind
    }
    assert others["DynamicQuantizeLinear"] == 27 and others["Mul"] == 54 and others["Cast"] == 27


def event(operator: str, *types: str) -> dict[str, Any]:
    about = {"op_name": operator, "provider": "CPUExecutionProvider",
             "input_type_shape": [{kind: [1]} for kind in types]}  # fmt: skip
    return {"cat": "Node", "name": f"{operator}_kernel_time", "ts": 1, "dur": 2, "args": about}


RUN = {"cat": "Session", "name": "model_run", "ts": 0, "dur": 9, "args": {}}


@pytest.mark.parametrize(
    ("operator", "types", "name", "kind"),
    [
        ("Conv", ("float16", "float16"), "Conv", "float16"),
        ("MatMul", ("bfloat16",), "MatMul", "bfloat16"),
        ("Gemm", ("double", "double"), "Gemm", "float64"),
        ("QLinearConv", ("int8", "float", "int8", "int8", "float", "int8", "float", "int8"),
         "QLinearConv int8 x int8", "int8"),
        ("QLinearConv", ("uint8", "float", "uint8", "float", "int8", "float", "uint8", "int32"),
         "QLinearConv uint8 x int8", "int8"),
        ("ConvInteger", ("uint8", "int8", "uint8", "int8"), "ConvInteger uint8 x int8", "int8"),
        ("Conv", (), "Conv", "unknown"),
        ("Relu", ("float",), "Relu", None),
        ("QuantizeLinear", ("float", "float", "uint8"), "QuantizeLinear", None),
    ],
)  # fmt: skip
def test_a_kernel_is_named_by_what_it_multiplies(
    operator: str, types: tuple[str, ...], name: str, kind: str | None
) -> None:
    (one,) = operations_of(runs_of([RUN, event(operator, *types)]))
    assert (one.name, one.kind, one.times, one.seconds) == (name, kind, 1, pytest.approx(2e-6))


def test_quantized_weights_with_float_kernels_prove_nothing() -> None:
    """Q/DQ nodes that the runtime did not fuse: a float convolution between them."""
    events = [RUN, event("DequantizeLinear", "int8", "float", "int8"), event("Conv", "float")]
    proof = proof_of(operations_of(runs_of(events)), "int8", "")
    assert proof.coverage == 0.0 and proof.fallback == ["Conv x1 in float32"]


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', '[{"cat": "Node"}]', "[1]", "", "[null"])
def test_what_is_no_profile_is_refused_or_has_no_call(tmp_path: Path, text: str) -> None:
    path = tmp_path / "profile.json"
    path.write_text(text)
    if text == "[]":
        assert read_profile(path) == []
    else:
        with pytest.raises(ValueError, match=r"profile|Expecting"):
            read_profile(path)
