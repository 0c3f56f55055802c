"""One real run of both frameworks, and what has to be true of its manifests and tables."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from manifests.artifacts import file_sha256
from manifests.cell import Cell
from orchestrator.environments.images import load_image
from tests.frameworks.conftest import BATCH, Reproduction

pytestmark = pytest.mark.frameworks
MIB = 2**20


LEARNT = {"image_size": 16}
TIMED = {"image_size": 32}
PAIR = {"batch_size": 128, **LEARNT}


def size_mib(reproduction: Reproduction, *cell: str, **axes: object) -> float:
    metric = reproduction.one(*cell, **axes).metric("model_size_bytes")
    assert metric is not None and metric.samples[0] is not None
    return metric.samples[0] / MIB


def test_the_float32_models_have_the_published_size(reproduction: Reproduction) -> None:
    learnt = size_mib(reproduction, "pytorch", "train", "float32", batch_size=BATCH)
    assert learnt == pytest.approx(42.6, abs=0.1)
    assert size_mib(reproduction, "tensorflow", "quantize", "tflite-float32") == pytest.approx(
        42.6, abs=0.1
    )


@pytest.mark.parametrize(
    ("cell", "axes"),
    [
        (("pytorch", "quantize", "ptq-eager"), LEARNT),
        (("pytorch", "quantize", "ptq-eager"), TIMED),
        (("pytorch", "quantize", "ptq-fx"), LEARNT),
        (("pytorch", "train", "qat-eager"), {"batch_size": BATCH}),
        (("tensorflow", "quantize", "ptq-tflite"), LEARNT),
        (("tensorflow", "quantize", "ptq-tflite"), TIMED),
        (("tensorflow", "train", "qat-tfmot"), {"batch_size": BATCH}),
    ],
)
def test_an_int8_model_is_small_and_proven(
    reproduction: Reproduction, cell: tuple[str, str, str], axes: dict[str, object]
) -> None:
    assert size_mib(reproduction, *cell, **axes) <= 11.5
    proof = reproduction.one(*cell, **axes).proof
    assert proof is not None and proof.promised == "int8" and proof.coverage == 1.0
    convolutions = sum(n for op, n in proof.operations["int8"].items() if "conv" in op.lower())
    assert convolutions == 20


@pytest.mark.parametrize(
    ("framework", "technique"),
    [("pytorch", "float32"), ("pytorch", "qat-eager"), ("tensorflow", "float32"),
     ("tensorflow", "qat-tfmot")],
)  # fmt: skip
def test_the_pair_of_trainings_has_steps_and_nothing_else(
    reproduction: Reproduction, framework: str, technique: str
) -> None:
    manifest = reproduction.one(framework, "train", technique, **PAIR)
    assert manifest.status == "ok" and manifest.artifacts == []
    taken = {metric.name for metric in manifest.metrics}
    assert "train_step_s" in taken and not taken & {"accuracy", "model_size_bytes"}


def test_what_learns_has_an_accuracy_and_what_is_timed_has_none(
    reproduction: Reproduction,
) -> None:
    for framework, technique in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite")):
        learnt = reproduction.one(framework, "quantize", technique, **LEARNT)
        timed = reproduction.one(framework, "quantize", technique, **TIMED)
        assert learnt.metric("accuracy") is not None and timed.metric("accuracy") is None
        assert timed.metric("calibration_s") is not None
        assert learnt.cell.weights_from == timed.cell.weights_from


@pytest.mark.parametrize(
    ("framework", "technique"),
    [("pytorch", "ptq-fx"), ("pytorch", "qat-eager"), ("tensorflow", "tflite-float32"),
     ("tensorflow", "qat-tfmot"), ("tensorflow", "signature")],
)  # fmt: skip
def test_weights_of_16_pixels_are_timed_at_32(
    reproduction: Reproduction, framework: str, technique: str
) -> None:
    manifest = reproduction.one(framework, "infer", technique, batch_size=128)
    assert manifest.status == "ok" and manifest.cell.image_size == 32
    parent = reproduction.run.manifest(manifest.cell.weights_from or "")
    assert parent is not None and parent.cell.image_size == 16
    assert manifest.inputs.dataset is not None and manifest.inputs.dataset.image_size == 32


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
        metric = reproduction.one(framework, "train", "float32", **PAIR).metric("train_loss")
        assert metric is not None
        losses.append(metric.samples[0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_calibration_takes_training_images_and_accuracy_the_whole_test_split(
    reproduction: Reproduction,
) -> None:
    for framework, technique in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite")):
        dataset = reproduction.one(framework, "quantize", technique, **LEARNT).inputs.dataset
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
    accurate = reproduction.one("pytorch", "quantize", "ptq-eager", image_size=16)
    timed = reproduction.one("pytorch", "quantize", "ptq-eager", **TIMED)
    # The float model's answers, too, for cells that start from this one in another framework.
    kept = ["weights.pt", "outputs.npz", "float-outputs.npz"]
    assert [artifact.path for artifact in accurate.artifacts] == kept
    assert [artifact.path for artifact in timed.artifacts] == ["weights.pt"]
    for manifest in (accurate, timed):
        for artifact in manifest.artifacts:
            path = reproduction.run.cell_folder(manifest.id) / artifact.path
            assert file_sha256(path) == artifact.sha256
            assert path.stat().st_size == artifact.size_bytes


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
