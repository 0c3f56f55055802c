"""OpenVINO's proof of precision, read from runtime models that were recorded, without OpenVINO."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.failures import Unsupported, classify
from runners.openvino.parts import device, runtime_model
from runners.openvino.parts.refusals import refusals_of, told
from runners.openvino.parts.runtime_model import Step, step
from runners.precision_proof import Operation, proof_of
from tests.runners.samples import a_job

RECORDED = json.loads(
    (Path(__file__).parent / "recorded" / "openvino-runtime-models.json").read_text()
)


def steps(kind: str) -> list[Step]:
    products = RECORDED[kind]["products"]
    return [step(name, notes, took, products) for name, notes, took in RECORDED[kind]["operations"]]


def compute(kind: str) -> dict[tuple[str, str | None], int]:
    found = runtime_model.operations(steps(kind))
    return {(one.name, one.kind): one.times for one in found if one.kind is not None}


def test_int8_is_what_the_kernels_are_and_depthwise_ones_are_not() -> None:
    """MobileNet_v1 by NNCF, on a processor without AMX."""
    assert compute("int8") == {
        ("Convolution brgconv_avx512_I8", "int8"): 1,
        ("Convolution brgconv_avx512_1x1_I8", "int8"): 13,
        ("FullyConnected brgemm_avx512_I8", "int8"): 1,
        ("Convolution brgconv_avx512_dw_f32", "float32"): 13,
        ("Subgraph with products jit_avx512_f32", "float32"): 2,
    }
    proof = proof_of(runtime_model.operations(steps("int8")), "int8", "")
    assert proof.coverage == 0.5
    assert "Convolution brgconv_avx512_dw_f32 x13 in float32" in proof.fallback


@pytest.mark.parametrize("kind", ["float32", "bfloat16", "int8"])
def test_every_convolution_and_product_of_the_network_is_accounted_for(kind: str) -> None:
    """27 convolutions, 3 dense layers: two of these the plug-in fused into one kernel."""
    assert len(RECORDED[kind]["products"]) == 30
    assert sum(compute(kind).values()) == 30


@pytest.mark.parametrize("kind", ["float32", "bfloat16"])
def test_a_float_network_runs_in_its_type_alone(kind: str) -> None:
    found = runtime_model.operations(steps(kind))
    assert proof_of(found, kind, "").coverage == 1.0
    assert runtime_model.instruction_sets(steps(kind)) == ["avx512"]


@pytest.mark.parametrize(
    ("ran", "promised", "hint", "taken", "words"),
    [
        ("float32", "int8", "f32", "f32", "nothing would run in int8: Convolution brgconv_avx512"),
        ("float32", "bfloat16", "bf16", "f32", "in bfloat16 (asked for bf16, OpenVINO takes f32)"),
        ("bfloat16", "float16", "f16", "bf16", "in float16 (asked for f16, OpenVINO takes bf16)"),
        ("bfloat16", "float32", "f32", "bf16", "in float32 (asked for f32, OpenVINO takes bf16)"),
    ],
)
def test_another_type_than_promised_fails_the_proof_by_name(
    ran: str, promised: str, hint: str, taken: str, words: str
) -> None:
    proof = proof_of(runtime_model.operations(steps(ran)), promised, "")
    assert proof.coverage == 0.0
    assert words in runtime_model.failed(proof, hint, taken)


def test_times_are_those_of_operations_that_every_call_executes() -> None:
    found = runtime_model.operations(steps("float32"))
    recorded = [took for _, _, took in RECORDED["float32"]["operations"] if took is not None]
    assert sum(one.seconds or 0.0 for one in found) == pytest.approx(sum(recorded) * 1e-6)
    assert Operation("Reorder reorder_brgemm_f32", None, 1, pytest.approx(1e-4)) in found


def notes(layer: str, precision: str, kernel: str, made_from: str = "") -> dict[str, str]:
    return {"layerType": layer, "runtimePrecision": precision, "primitiveType": kernel,
            "originalLayersNames": made_from}  # fmt: skip


@pytest.mark.parametrize(
    ("precision", "kernel", "kind"),
    [
        ("u8", "brgconv_avx512_amx_I8", "int8"),
        ("i8", "brgemm_avx512_amx_I8", "int8"),
        ("f32", "gemm_mlas_f32", "float32"),
        ("f16", "brgconv_avx512_amx_f16", "float16"),
        ("f16", "convolution_gpu_bfyx_os_iyx_osv16__f16", "float16"),
        ("i8", "convolution_gpu_b_fs_yx_fsv_16_32_imad_dw__i8", "int8"),
        # Its input is INT8, its arithmetic isn't, and the other way about.
        ("u8", "brgconv_avx512_f32", "unknown"),
        ("f32", "brgconv_avx512_I8", "unknown"),
        ("f8", "brgconv_avx512_f8", "unknown"),
    ],
)
def test_both_notes_have_to_say_the_type(precision: str, kernel: str, kind: str) -> None:
    assert step("x", notes("Convolution", precision, kernel)).kind == kind


@pytest.mark.parametrize(
    ("layer", "kernel", "made_from", "products"),
    [
        ("Convolution", "brgconv_avx512_f32", "a", 1),
        ("MatMul", "brgemm_avx512_f32", "a", 1),
        ("convolution", "convolution_gpu_ref__f32", "a", 1),
        ("FullyConnected", "unknown_f32", "a", 0),
        ("Convolution", "", "a", 0),
        ("Reorder", "jit_uni_f32", "a", 0),
        ("Subgraph", "jit_avx512_f32", "a,relu,b", 2),
        ("Subgraph", "jit_avx512_f32", "relu,add", 0),
    ],
)
def test_what_counts_as_a_product(layer: str, kernel: str, made_from: str, products: int) -> None:
    found = step("x", notes(layer, "f32", kernel, made_from), None, ["a", "b", "c"])
    assert found.products == products


@pytest.mark.parametrize(
    ("kernel", "sets"),
    [
        ("brgconv_avx512_amx_1x1_I8", ["avx512_amx"]),
        ("jit_avx2_f32", ["avx2"]),
        ("ref_any_f32", []),
    ],
)
def test_the_instruction_set_is_named(kernel: str, sets: list[str]) -> None:
    found = step("x", notes("Convolution", kernel.rsplit("_", 1)[1], kernel))
    assert runtime_model.instruction_sets([found]) == sets


@given(
    st.lists(st.integers(0, 10_000), min_size=2, max_size=40),
    st.integers(1, 39),
)
def test_warm_calls_are_taken_out_of_the_mean(samples: list[int], warm: int) -> None:
    warm = min(warm, len(samples) - 1)
    means = {"op": sum(samples[:warm]) / warm}, {"op": sum(samples) / len(samples)}
    found = runtime_model.after_warm_up(*means, warm, len(samples))["op"]
    assert found == pytest.approx(sum(samples[warm:]) / (len(samples) - warm), abs=1e-6)


def test_a_device_that_isnt_there_is_named(tmp_path: Path) -> None:
    job = a_job(tmp_path, framework="openvino", device="gpu")
    with pytest.raises(Unsupported, match="OpenVINO sees no GPU here, only CPU"):
        device.device_of(job, SimpleNamespace(available_devices=["CPU"]))
    assert device.device_of(job, SimpleNamespace(available_devices=["CPU", "GPU"])) == "GPU"
    several = SimpleNamespace(available_devices=["CPU", "GPU.0", "GPU.1"])
    assert device.device_of(job, several) == "GPU.0"


def test_threads_are_a_processors_and_the_precision_is_always_named(tmp_path: Path) -> None:
    on_gpu: dict[str, Any] = device.settings(a_job(tmp_path, device="gpu"), "f16", True)
    assert on_gpu == {
        "INFERENCE_PRECISION_HINT": "f16", "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": True,
    }  # fmt: skip
    on_cpu = device.settings(a_job(tmp_path), "f32", False)
    assert on_cpu["INFERENCE_NUM_THREADS"] == 1 and on_cpu["INFERENCE_PRECISION_HINT"] == "f32"


BROKEN = RuntimeError(
    "Exception from src/inference/src/cpp/core.cpp:84:\n"
    "Check 'tflite::VerifyModelBuffer(verifier)' failed at src/frontends/graph_iterator.cpp:82:\n"
    "FrontEnd API failed with GeneralFailure:\n"
    'TensorFlow Lite Frontend: the model file "a.tflite" is corrupted or malformed.\n\n'
)


def test_a_refusal_is_in_openvinos_words_without_its_source_lines() -> None:
    words = 'TensorFlow Lite Frontend: the model file "a.tflite" is corrupted or malformed.'
    assert told(BROKEN) == words
    words = "can't read it: TensorFlow Lite Frontend"
    with pytest.raises(Unsupported, match=words), refusals_of("OpenVINO can't read it"):
        raise BROKEN


@pytest.mark.parametrize(
    "text", ["std::bad_alloc", "[GPU] Exceeded max size of memory allocation: Requested 9 bytes"]
)
def test_a_lack_of_memory_is_no_refusal(text: str) -> None:
    with pytest.raises(RuntimeError) as caught, refusals_of("OpenVINO"):
        raise RuntimeError(text)
    assert classify(caught.value).status == "oom"
