"""What data making a model took stands in its manifest: images by use, and steps of training."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from manifests.codec import read_manifest
from runners import techniques
from runners.execute import execute
from runners.inference import QuantizeRecipe
from runners.job import Job
from tests.runners.samples import a_job, a_pack

STATIC = {"calibration_images": 6, "test_images": 0}


def ran(
    folder: Path, monkeypatch: pytest.MonkeyPatch, work: Callable[[Job], None], **cell: Any
) -> dict[str, list[Any]]:
    """What a cell whose technique is ``work`` recorded of its data, by label or name."""
    monkeypatch.setattr(techniques, "find", lambda cell: work)
    execute(a_job(folder, a_pack(folder / "pack"), **cell), None, None)
    manifest = read_manifest(folder / "manifest.json")
    assert manifest.status == "ok", manifest.error
    return {
        metric.label or metric.name: metric.samples
        for metric in manifest.metrics
        if metric.name in ("images_used", "optimizer_steps")
    }


def nothing(job: Job) -> None:
    """Dynamic quantization reads no data."""


def calibrates(job: Job) -> None:
    job.data.calibration(job.recipe(QuantizeRecipe).calibration_images, job.cell.seed)


def trains(job: Job) -> None:
    job.data.train(24, job.cell.seed)
    job.record("train_step_s", [0.1, 0.1, 0.2])


def test_what_reads_no_data_has_a_recorded_zero(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ran(tmp_path, monkeypatch, nothing, task="quantize", recipe=STATIC)
    assert found == {"calibration": [0], "train": [0], "optimizer_steps": [0]}


def test_calibration_takes_images_and_no_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = ran(tmp_path, monkeypatch, calibrates, task="quantize", recipe=STATIC)
    assert found == {"calibration": [6], "train": [0], "optimizer_steps": [0]}


def test_training_takes_images_and_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = ran(tmp_path, monkeypatch, trains, task="train")
    assert found == {"calibration": [0], "train": [24], "optimizer_steps": [3]}


def test_inference_makes_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ran(tmp_path, monkeypatch, nothing, task="infer") == {}


def test_a_model_that_was_not_made_took_nothing_that_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(job: Job) -> None:
        trains(job)
        raise ValueError("it does not converge")

    monkeypatch.setattr(techniques, "find", lambda cell: fails)
    execute(a_job(tmp_path, a_pack(tmp_path / "pack"), task="train"), None, None)
    manifest = read_manifest(tmp_path / "manifest.json")
    assert manifest.status == "crashed"
    assert {m.name for m in manifest.metrics} == {"train_step_s", "peak_memory_bytes"}


@pytest.mark.parametrize(
    ("changes", "least", "classes"),
    [({}, 1, 6), ({"calibration_source": "test"}, 201, 6), ({"calibration_classes": 1}, 1, 1)],
)
def test_a_cells_recipe_says_what_calibrates(
    tmp_path: Path, changes: dict[str, Any], least: int, classes: int
) -> None:
    recipe = {**STATIC, "calibration_images": 4, **changes}
    job = a_job(tmp_path, a_pack(tmp_path / "pack"), task="quantize", recipe=recipe)
    part = job.data.calibration(job.recipe(QuantizeRecipe).calibration_images, job.cell.seed)
    assert part.images[:, 0, 0, 0].min() >= least
    assert 1 <= len(set(part.labels)) <= classes


def test_a_source_that_is_no_split_is_refused_by_the_recipe() -> None:
    with pytest.raises(msgspec.ValidationError, match="calibration_source"):
        msgspec.convert({**STATIC, "calibration_source": "validation"}, QuantizeRecipe)
