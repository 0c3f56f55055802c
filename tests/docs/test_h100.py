"""The manifests that an H100 left: they read, and are what gpu-check expects of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifests.run_folder import Run
from orchestrator.gpu_check.expected import expected_of
from orchestrator.gpu_check.verdicts import cell_verdicts, probe_verdicts

H100 = Path(__file__).resolve().parents[2] / "docs" / "h100"
MEMORY_BYTES = 85_017_493_504
UNTOLD = {
    "pytorch train float32 mobilenet-v1 128 px batch 64": "float32 covers 77%, not 99% or more",
    "pytorch infer cuda-graph mobilenet-v1 128 px batch 64": "float32 covers 57%, not 99% or more",
}
"""What the first run showed: cuDNN's depthwise kernels, whose names tell no type."""


@pytest.mark.parametrize(
    ("name", "cells"),
    [("gpu-check-1", 12), ("gpu-check-2", 7), ("lad2023", 2), ("shafique2023", 11)],
)
def test_every_manifest_reads_and_names_the_card(name: str, cells: int) -> None:
    found = Run(H100 / name).load().manifests
    assert len(found) == cells
    for manifest in found:
        (gpu,) = manifest.environment.machine.gpus
        assert gpu.name == "NVIDIA H100 80GB HBM3" and gpu.uuid.startswith("GPU-")
        assert manifest.status == ("oom" if manifest.cell.batch_size == 1300
                                   and manifest.cell.technique == "float32" else "ok")  # fmt: skip


@pytest.mark.parametrize(("name", "wrong"), [("gpu-check-1", UNTOLD), ("gpu-check-2", {})])
def test_they_are_as_gpu_check_expects(name: str, wrong: dict[str, str]) -> None:
    folder = H100 / name
    found = Run(folder).load().manifests
    summary = json.loads((folder / "summary.json").read_text())
    speedups = {line["cell"]: line["speedup"] for line in summary["cells"]}
    expected = {m.id: expected_of(m.cell, MEMORY_BYTES) for m in found}
    verdicts = cell_verdicts(found, [], expected, speedups)
    assert {v.what: v.why for v in verdicts if v.verdict != "as expected"} == wrong


@pytest.mark.parametrize("name", ["gpu-check-1", "gpu-check-2"])
def test_every_operation_of_the_probe_is_as_expected(name: str) -> None:
    """Also the first one's: a name that tells no type has that of its operands."""
    probe = json.loads((H100 / name / "probe.json").read_text())
    verdicts = probe_verdicts(probe, "gpu")
    assert len(verdicts) == 11
    assert [v.told() for v in verdicts if v.verdict != "as expected"] == []
