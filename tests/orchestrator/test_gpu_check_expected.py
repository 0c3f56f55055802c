"""What is expected of each cell, and that whatever differs is named."""

from __future__ import annotations

from typing import Any

import pytest

from manifests.cell import Cell
from manifests.manifest import Flag, Manifest, Proof
from orchestrator.gpu_check.expected import Expected, differences, expected_of
from orchestrator.gpu_check.plan import check_plan
from orchestrator.gpu_check.verdicts import Verdict, cell_verdicts, probe_verdicts
from tests.comparisons.samples import measured, metric, planned
from tests.manifests.samples import a_cell

H100, H200 = 85_520_809_984, 150_754_820_096
IMAGES = {"pytorch": "an-image", "tensorflow": "another-image"}


def on_gpu(memory_bytes: int, framework: str = "pytorch") -> list[Cell]:
    plan = check_plan("gpu", {framework: IMAGES[framework]}, 2, memory_bytes)
    return [p.cell for p in plan.cells]


def a_proof(promised: str, coverage: float | None = 1.0, **shown: int) -> Proof:
    operations = {kind: {f"a {kind} kernel": number} for kind, number in shown.items()}
    return Proof(promised=promised, operations=operations, coverage=coverage, fallback=[],
                 source="")  # fmt: skip


def manifest(status: Any = "ok", **fields: Any) -> Manifest:
    cell = a_cell(task="train", technique="amp-float16", device="gpu")
    steps = metric("train_step_s", 0.3, 0.3, 0.3)
    return measured(cell, *fields.pop("metrics", [steps]), status=status, **fields)


@pytest.mark.parametrize("memory_bytes", [H100, H200])
def test_out_of_memory_is_expected_of_float32_alone(memory_bytes: int) -> None:
    large = [c for c in on_gpu(memory_bytes) if c.batch_size >= 1000]
    assert [(c.technique, expected_of(c, memory_bytes).statuses) for c in large] == [
        ("float32", ("oom",)), ("amp-float16", ("ok",)),
    ]  # fmt: skip
    assert {expected_of(c, None).statuses for c in large} == {("ok", "oom")}


def test_float32_is_float32_and_the_ladder_is_30_steps() -> None:
    by_name = {(c.task, c.technique, c.batch_size): expected_of(c, H100) for c in on_gpu(H100)}
    for task, technique in (("train", "float32"), ("infer", "float32"), ("infer", "cuda-graph")):
        assert "tf32" in by_name[task, technique, 64].never
    amp = by_name["train", "amp-float16", 64]
    assert (amp.applied, amp.faster, amp.steps) == (True, True, 30)
    assert by_name["train", "amp-float16", 512].steps == 8
    assert "tensorrt" in by_name["infer", "tensorrt-int8", 64].refusal


def test_every_cell_of_both_plans_has_an_expectation_in_words() -> None:
    for framework in IMAGES:
        assert all(expected_of(c, H100).told() for c in on_gpu(H100, framework))
    amp = Expected(shows=("float16",), never=("tf32",), coverage=0.9, faster=True, applied=True,
                   steps=30, refusal="why")  # fmt: skip
    assert amp.told() == (
        "ok, shows float16, no tf32, covered ≥ 90%, 30 steps, every step applied, loss scale "
        "recorded, faster, or unsupported: /why/"
    )


@pytest.mark.parametrize(
    ("expected", "found", "speedup", "told"),
    [
        (Expected(), manifest("crashed", reason="ValueError: x"), None,
         "it is crashed, not ok: ValueError: x"),
        (Expected(("oom",)), manifest(), None, "it is ok, not oom"),
        (Expected(refusal="torchao"), manifest("unsupported", reason="no GPU"), None,
         "it is unsupported for another reason than /torchao/: no GPU"),
        (Expected(), manifest("unsupported", reason="no GPU"), None,
         "it is unsupported, not ok: no GPU"),
        (Expected(shows=("float32",)), manifest(), None, "it has no proof of precision"),
        (Expected(never=("tf32",)),
         manifest(proof=a_proof("float32", 0.5, float32=1, tf32=1)), None,
         "its proof shows tf32: a tf32 kernel"),
        (Expected(shows=("int8",)), manifest(proof=a_proof("int8", 0.0, float32=2)), None,
         "its proof shows no int8 (it shows float32)"),
        (Expected(coverage=0.9), manifest(proof=a_proof("float16", 0.4, float16=1)), None,
         "float16 covers 40%, not 90% or more"),
        (Expected(coverage=0.9), manifest(proof=a_proof("float16", None)), None,
         "float16 covers unknown, not 90% or more"),
        (Expected(faster=True), manifest(), 0.97, "its speedup is 0.97, not above 1"),
        (Expected(faster=True), manifest(), None, "its speedup isn't known, not above 1"),
        (Expected(steps=30), manifest(), None, "it timed 3 steps, not 30"),
        (Expected(applied=True), manifest(), None,
         "it has no loss scale; an unknown number of 3 timed steps were applied"),
        (Expected(applied=True),
         manifest(metrics=[metric("train_step_s", 1, 1, 1), metric("loss_scale", 8, 4, 2),
                           metric("applied_steps", 0, label="timed")]), None,
         "0 of 3 timed steps were applied"),
        (Expected(), manifest(flags=[Flag(name="impossible-value", detail="negative")]), None,
         "impossible-value: negative"),
    ],
)  # fmt: skip
def test_what_differs_is_named(
    expected: Expected, found: Manifest, speedup: float | None, told: str
) -> None:
    assert "; ".join(differences(expected, found, speedup)) == told


@pytest.mark.parametrize(
    ("expected", "found", "speedup"),
    [
        (Expected(("oom",), shows=("float32",)), manifest("oom", reason="out of memory"), None),
        (Expected(refusal="torchao"), manifest("unsupported", reason="no torchao"), None),
        (Expected(shows=("float16",), never=("tf32",), coverage=0.9, faster=True, applied=True,
                  steps=3),
         manifest(proof=a_proof("float16", 0.95, float16=3, float32=1),
                  metrics=[metric("train_step_s", 1, 1, 1), metric("loss_scale", 8, 8, 8),
                           metric("applied_steps", 3, label="timed")]), 1.8),
    ],
)  # fmt: skip
def test_what_is_as_expected_passes(
    expected: Expected, found: Manifest, speedup: float | None
) -> None:
    assert differences(expected, found, speedup) == []


def test_what_was_cut_off_or_not_started_is_not_checked() -> None:
    cut = manifest("cancelled", transient=True, reason="the check's time is up")
    later = planned(a_cell(technique="tf32", device="gpu"))
    found = cell_verdicts([cut], [later], {}, {})
    assert [(v.verdict, v.why) for v in found] == [
        ("not checked", "the check's time is up"),
        ("not checked", "there was no time left to start it"),
    ]


def operation(layer: str, precision: str, *kernels: tuple[str, str | None]) -> dict[str, Any]:
    named = [{"name": name, "type": kind} for name, kind in kernels]
    return {"layer": layer, "precision": precision, "kernels": named, "operators": named}


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (operation("convolution", "float32", ("scudnn", "float32"), ("nchwToNhwc", None)), ""),
        (operation("convolution", "float32", ("sm90_xmma_tf32", "tf32")),
         "its names show tf32 (sm90_xmma_tf32)"),
        (operation("convolution", "tf32", ("scudnn", "float32")),
         "its names show float32 (scudnn)"),
        (operation("depthwise convolution", "tf32", ("conv_depthwise2d<float>", "float32")), ""),
        (operation("linear", "float16", ("nvjet_hsh", "float16"), ("odd_gemm", "unknown")),
         "its names show float16 (nvjet_hsh), unknown (odd_gemm)"),
        (operation("linear", "float16", ("a_new_family", None)),
         "no name tells of a linear; executed: a_new_family"),
        (operation("linear", "float16"), "no name tells of a linear; executed: nothing"),
        ({"layer": "linear", "precision": "float16", "reason": "no kernel"}, "no kernel"),
    ],
)  # fmt: skip
def test_names_of_kernels_are_judged(asked: dict[str, Any], why: str) -> None:
    probe = {"device": {}, "nvml": {}, "operations": [asked]}
    (verdict,) = probe_verdicts(probe, "gpu")[2:]
    assert (verdict.verdict, verdict.why) == ("not as expected" if why else "as expected", why)


@pytest.mark.parametrize(
    ("layer", "precision", "operators", "as_expected"),
    [
        ("depthwise convolution", "float16", ["float16"], True),
        ("depthwise convolution", "float16", ["float32"], False),
        ("depthwise convolution", "float16", ["float16", "float32"], False),
        ("depthwise convolution", "tf32", ["float32"], True),
        ("convolution", "tf32", ["float32"], False),
    ],
)
def test_a_kernel_whose_name_tells_no_type_has_that_of_its_operands(
    layer: str, precision: str, operators: list[str], as_expected: bool
) -> None:
    """cuDNN's depthwise kernels on an H100."""
    asked = operation(layer, precision, ("conv2d_c1_k1_nchw_shmem_tiling", "unknown"))
    asked["operators"] = [{"name": "aten::_convolution", "type": kind} for kind in operators]
    (verdict,) = probe_verdicts({"device": {}, "nvml": {}, "operations": [asked]}, "gpu")[2:]
    assert (verdict.verdict == "as expected") is as_expected


def test_a_probe_that_is_missing_says_why() -> None:
    (absent,) = probe_verdicts({"reason": "containers"}, "gpu")
    assert absent.verdict == "not checked"
    (failed,) = probe_verdicts({"reason": "no torch", "failed": True}, "gpu")
    assert failed.told() == "probe: not as expected, because no torch"
    device, nvml = probe_verdicts({"device": {"reason": "blind"}, "nvml": {}, "operations": []},
                                  "gpu")  # fmt: skip
    assert (device.why, nvml) == ("blind", Verdict("probe nvml", "it answers", "as expected"))
