"""One real run of both frameworks, and what has to be true of its manifests and tables."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from manifests.artifacts import file_sha256
from manifests.cell import Cell
from orchestrator.environments.images import load_image
from tests.frameworks.conftest import Reproduction

pytestmark = pytest.mark.frameworks
MIB = 2**20


def size_mib(reproduction: Reproduction, *cell: str) -> float:
    metric = reproduction.one(*cell).metric("model_size_bytes")
    assert metric is not None and metric.samples[0] is not None
    return metric.samples[0] / MIB


def test_the_float32_models_have_the_published_size(reproduction: Reproduction) -> None:
    assert size_mib(reproduction, "pytorch", "train", "float32") == pytest.approx(42.6, abs=0.1)
    assert size_mib(reproduction, "tensorflow", "quantize", "tflite-float32") == pytest.approx(
        42.6, abs=0.1
    )


@pytest.mark.parametrize(
    "cell",
    [
        ("pytorch", "quantize", "ptq-eager"),
        ("pytorch", "quantize", "ptq-fx"),
        ("pytorch", "train", "qat-eager"),
        ("tensorflow", "quantize", "ptq-tflite"),
        ("tensorflow", "train", "qat-tfmot"),
    ],
)
def test_an_int8_model_is_small_and_proven(
    reproduction: Reproduction, cell: tuple[str, str, str]
) -> None:
    assert size_mib(reproduction, *cell) <= 11.5
    proof = reproduction.one(*cell).proof
    assert proof is not None and proof.promised == "int8" and proof.coverage == 1.0
    convolutions = sum(n for op, n in proof.operations["int8"].items() if "conv" in op.lower())
    assert convolutions == 20


def test_dynamic_quantization_is_told_to_leave_the_convolutions_alone(
    reproduction: Reproduction,
) -> None:
    proof = reproduction.one("pytorch", "infer", "dynamic").proof
    assert proof is not None and proof.coverage == pytest.approx(1 / 21)
    assert "aten::conv2d x20 in float32" in proof.fallback


def test_a_float32_model_is_not_called_int8(reproduction: Reproduction) -> None:
    proof = reproduction.one("pytorch", "infer", "float32", batch_size=1).proof
    assert proof is not None and proof.promised == "float32" and "int8" not in proof.operations


def test_both_frameworks_take_the_same_first_step(reproduction: Reproduction) -> None:
    losses = []
    for framework in ("pytorch", "tensorflow"):
        metric = reproduction.one(framework, "train", "float32").metric("train_loss")
        assert metric is not None
        losses.append(metric.samples[0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_calibration_takes_training_images_and_accuracy_the_whole_test_split(
    reproduction: Reproduction,
) -> None:
    for framework, technique in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite")):
        dataset = reproduction.one(framework, "quantize", technique).inputs.dataset
        assert dataset is not None
        assert dataset.used == {"calibration": 16, "test": dataset.splits["test"].count}


def test_a_manifest_says_where_it_comes_from(reproduction: Reproduction) -> None:
    manifest = reproduction.one("tensorflow", "infer", "ptq-tflite", batch_size=1)
    assert manifest.context is not None
    assert manifest.context.image.lock_sha256 == load_image("tensorflow-cpu").lock_sha256
    assert manifest.environment.packages["ai-edge-litert"] == "2.3.0"
    assert manifest.environment.machine is not None and manifest.environment.machine.cpus
    assert [phase.name for phase in manifest.phases][:2] == ["import", "build"]


def test_artifacts_are_the_files_that_the_manifest_hashes(reproduction: Reproduction) -> None:
    manifest = reproduction.one("pytorch", "quantize", "ptq-eager")
    assert [artifact.path for artifact in manifest.artifacts] == ["weights.pt", "outputs.npz"]
    for artifact in manifest.artifacts:
        path = reproduction.run.cell_folder(manifest.id) / artifact.path
        assert file_sha256(path) == artifact.sha256 and path.stat().st_size == artifact.size_bytes


def test_operations_are_timed_for_the_profiled_cells(reproduction: Reproduction) -> None:
    manifest = reproduction.one("pytorch", "infer", "ptq-eager", batch_size=5)
    labels = {metric.label for metric in manifest.labelled("op_time_s")}
    assert {"quantized::conv2d", "quantized::conv2d_relu", "quantized::add_relu"} <= labels


def test_the_gpu_cell_is_a_result_with_its_reason(reproduction: Reproduction) -> None:
    manifest = reproduction.one("pytorch", "infer", "float32", device="gpu")
    if manifest.status == "unsupported":
        assert "GPU" in manifest.reason


def test_the_tables_stand_published_beside_measured(reproduction: Reproduction) -> None:
    text = reproduction("table", "lad2023", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    found = [r for r in rows if (r["framework"], r["quantity"]) == ("pytorch", "int8 size")]
    (row,) = found
    assert row["printed"] == "10.76" and float(row["ratio"]) == pytest.approx(1.0, abs=0.05)
    assert "tier quick · digits" in row["scope"]
    assert (reproduction.run.folder / "tables.md").read_text().count("###") == 8


def test_the_same_command_again_runs_nothing(reproduction: Reproduction) -> None:
    before = {path: path.stat().st_mtime_ns for path in reproduction.run.cells.rglob("*")}
    done = reproduction("run", "lad2023", "--engine", "local")
    assert "0 cells executed" in done.stderr
    assert {p: p.stat().st_mtime_ns for p in reproduction.run.cells.rglob("*")} == before


def test_no_log_or_event_is_missing(reproduction: Reproduction) -> None:
    for manifest in reproduction.run.load().manifests:
        folder = reproduction.run.cell_folder(manifest.id)
        assert isinstance(manifest.cell, Cell)
        if manifest.status == "ok":
            events = Path(folder / "events.jsonl").read_text()
            assert '"event":"done"' in events and (folder / "log.txt").exists()
