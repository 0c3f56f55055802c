"""The summary of a gpu-check."""

from __future__ import annotations

from typing import Any

import pytest

from comparisons.gpu_check import check_lines, framework_version, largest_batches
from manifests.manifest import Environment, Manifest, Proof
from tests.comparisons.samples import measured, metric
from tests.manifests.samples import a_cell


def training(technique: str, batch: int, *steps: float, **fields: Any) -> Manifest:
    cell = a_cell(task="train", technique=technique, batch_size=batch, device="gpu")
    metrics = [
        metric("train_step_s", *steps),
        metric("peak_memory_bytes", 123, source="rss of the process"),
        metric("peak_memory_bytes", 4e9, label="allocator"),
        metric("peak_memory_bytes", None, label="nvml", reason="no NVML"),
        metric("energy_j", 250.0),
    ]
    return measured(cell, *metrics, **fields)


def test_the_first_steps_choose_kernels_and_are_left_out() -> None:
    plain, amp = check_lines(
        [training("float32", 64, 9.0, 9.0, 9.0, 0.5, 0.25, 0.75),
         training("amp-float16", 64, 9.0, 9.0, 9.0, 0.25)]
    )  # fmt: skip
    assert (plain.seconds, plain.speedup) == (0.5, 1.0)
    assert (amp.seconds, amp.speedup) == (0.25, 2.0)
    assert (amp.allocator_bytes, amp.nvml_bytes, amp.energy_j) == (4e9, None, 250.0)


def test_energy_and_memory_of_the_device_are_the_samplers() -> None:
    """Manifests of earlier versions had them from the cell's own process, without a phase."""
    cell = a_cell(task="train", technique="float32", batch_size=64, device="gpu")
    sampled = measured(
        cell, metric("train_step_s", 1.0, 1.0, 1.0, 1.0),
        metric("peak_memory_bytes", 123, source="rss of the process"),
        metric("peak_memory_bytes", 5e9, label="GPU 3"),
        metric("energy_j", 40.0, label="measure"), metric("energy_j", 250.0, label="train"),
    )  # fmt: skip
    (line,) = check_lines([sampled])
    assert (line.nvml_bytes, line.energy_j) == (5e9, 250.0)


def test_a_cell_that_failed_has_its_reason_and_no_time() -> None:
    (line,) = check_lines(
        [training("float32", 1400, 1.0, 1.0, 1.0, 1.0, status="oom", reason="out of memory")]
    )
    assert (line.status, line.seconds, line.reason) == ("oom", None, "out of memory")
    assert line.allocator_bytes == 4e9


def test_speedups_compare_the_same_task_model_and_batch() -> None:
    lines = check_lines(
        [training("float32", 64, 9, 9, 9, 1.0), training("tf32", 512, 9, 9, 9, 0.5)]
    )
    assert [line.speedup for line in lines] == [1.0, None]


def inference(framework: str, technique: str, seconds: float) -> Manifest:
    cell = a_cell(framework=framework, task="infer", technique=technique, device="gpu")
    return measured(cell, metric("latency_s", seconds, seconds, seconds))


def test_frameworks_are_not_compared_and_tensorflows_ladder_starts_at_predict() -> None:
    lines = check_lines(
        [inference("pytorch", "float32", 8.0), inference("tensorflow", "keras-predict", 4.0),
         inference("tensorflow", "signature", 2.0), inference("pytorch", "cuda-graph", 1.0)]
    )  # fmt: skip
    assert [(line.framework, line.speedup) for line in lines] == [
        ("pytorch", 1.0), ("tensorflow", 1.0), ("tensorflow", 2.0), ("pytorch", 8.0),
    ]  # fmt: skip


def test_coverage_comes_from_the_proof() -> None:
    proof = Proof(promised="int8", operations={}, coverage=0.4, fallback=[], source="")
    cell = a_cell(task="infer", technique="int8-torchao", device="gpu")
    (line,) = check_lines([measured(cell, metric("latency_s", 0.01, 0.02, 0.03), proof=proof)])
    assert line.coverage == 0.4 and line.seconds == pytest.approx(0.02)


def test_the_largest_batches_are_told_by_technique() -> None:
    lines = check_lines(
        [
            training("float32", 64, 1.0), training("float32", 512, 1.0),
            training("float32", 1400, status="oom"), training("amp-float16", 1400, 1.0),
            training("tf32", 1400, status="crashed"),
        ]
    )  # fmt: skip
    model = lines[0].model
    assert largest_batches(lines) == {
        f"pytorch {model} float32": (512, 1400),
        f"pytorch {model} amp-float16": (1400, None),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("framework", "packages", "told"),
    [
        ("pytorch", {"torch": "2.13.0+cpu"}, "torch 2.13.0+cpu"),
        ("tensorflow", {"tensorflow": "2.17.0+nv25.2"}, "tensorflow 2.17.0+nv25.2"),
        ("tensorflow", {"tensorflow-cpu": "2.8.4"}, "tensorflow 2.8.4"),
        ("tensorflow", {"tensorflow_cpu": "2.21.0"}, "tensorflow 2.21.0"),
        ("tensorflow", {}, "tensorflow ?"),
    ],
)
def test_the_framework_is_told_with_its_version(
    framework: str, packages: dict[str, str], told: str
) -> None:
    manifest = measured(a_cell(framework=framework), environment=Environment(packages=packages))
    assert framework_version(manifest) == told
