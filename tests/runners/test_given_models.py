"""A person's own model is checked in its cell before anything is held against it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests.artifacts import file_sha256
from manifests.pretrained import META, Pretrained
from runners.failures import Unsupported
from runners.fidelity import INT8_PROBABILITIES, LOGITS, PROBABILITIES
from runners.job import Job
from runners.model_file import answer, checked, given_file, profiled_calls, worth_profiling
from runners.outputs import OUTPUTS_FILE
from runners.session import Session
from runners.starting_weights import PretrainedFile
from tests.runners.samples import TEST, a_job, a_pack

RECIPE = {"calibration_images": 4, "test_images": 0, "model_sha256": "", "pixels": "0-1"}


def _job(folder: Path, task: str = "quantize", **recipe: Any) -> Job:
    return a_job(folder, a_pack(folder), task=task, recipe={**RECIPE, **recipe})


def _session(rows: Any, kind: str = LOGITS) -> Session:
    """Answers each batch with as many of ``rows`` as it has pictures."""

    def call(images: Any) -> Any:
        return np.resize(np.asarray(rows, np.float32), (len(images), *np.shape(rows)[1:]))

    return Session(lambda images: images, call, lambda found: found.argmax(1), kind=kind)


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ([[1.0, -2.0, 3.0]], LOGITS),
        ([[0.25, 0.25, 0.5]], PROBABILITIES),
        ([[0.5, 0.25, 0.5]], LOGITS),
        ([[1.0]], LOGITS),
    ],
)
def test_answers_that_come_to_one_are_probabilities(
    tmp_path: Path, rows: list[list[float]], kind: str
) -> None:
    assert checked(_job(tmp_path), _session(rows), "R").kind == kind


def test_a_runtime_that_knows_what_it_answers_is_believed(tmp_path: Path) -> None:
    session = _session([[0.25, 0.75]], INT8_PROBABILITIES)
    assert checked(_job(tmp_path), session, "R").kind == INT8_PROBABILITIES


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_answers_that_are_not_finite_are_refused(tmp_path: Path, value: float) -> None:
    with pytest.raises(Unsupported, match="aren't finite"):
        checked(_job(tmp_path), _session([[1.0, value]]), "R")


def test_one_row_a_sample_is_needed(tmp_path: Path) -> None:
    session = Session(lambda x: x, lambda x: np.ones((1, 5), np.float32), lambda x: x)
    with pytest.raises(Unsupported, match="has 1 rows of 5 values for 8 samples"):
        checked(_job(tmp_path), session, "R")


def test_what_a_runtime_says_of_a_file_is_its_refusal(tmp_path: Path) -> None:
    def call(images: Any) -> Any:
        raise RuntimeError("no kernel for Foo\nat line 7")

    with pytest.raises(Unsupported, match=r"^R refuses the model: no kernel for Foo$"):
        checked(_job(tmp_path), Session(lambda x: x, call, lambda x: x), "R")


def test_a_lack_of_memory_is_no_refusal(tmp_path: Path) -> None:
    def call(images: Any) -> Any:
        raise MemoryError

    with pytest.raises(MemoryError):
        checked(_job(tmp_path), Session(lambda x: x, call, lambda x: x), "R")


def test_with_labels_for_all_of_its_classes_there_is_an_accuracy(tmp_path: Path) -> None:
    job = _job(tmp_path)
    answer(job, checked(job, _session(np.eye(10)[:1]), "R"))
    accuracy = next(one for one in job.metrics if one.name == "accuracy")
    assert accuracy.items == TEST and accuracy.samples[0] is not None
    assert [one.path for one in job.artifacts] == [OUTPUTS_FILE]


def test_other_classes_than_those_of_the_pictures_give_none(tmp_path: Path) -> None:
    job = _job(tmp_path)
    answer(job, checked(job, _session([[1.0, 2.0]]), "R"))
    (accuracy,) = [one for one in job.metrics if one.name == "accuracy"]
    assert accuracy.samples == [None]
    assert accuracy.reason == "the model tells 2 classes apart and the pictures show 10"
    assert job.outputs is not None and len(job.outputs.images) == TEST


def _given(folder: Path, job: Job, named: str) -> None:
    place = folder / "given"
    place.mkdir()
    (place / "model.onnx").write_bytes(b"model")
    sha256 = file_sha256(place / "model.onnx")
    meta = Pretrained(name="m", file="model.onnx", url="", sha256=sha256, checked="")
    (place / META).write_bytes(msgspec.json.encode(meta))
    job._pretrained = PretrainedFile(place)
    recipe = {**RECIPE, "model_sha256": named or sha256}
    job.cell = msgspec.structs.replace(job.cell, recipe=recipe)


def test_the_file_is_the_one_that_the_recipe_names(tmp_path: Path) -> None:
    job = _job(tmp_path)
    _given(tmp_path, job, "")
    assert given_file(job).read_bytes() == b"model"
    assert job.starts_from == f"model file {file_sha256(tmp_path / 'given' / 'model.onnx')}"


def test_another_file_is_refused(tmp_path: Path) -> None:
    job = _job(tmp_path)
    _given(tmp_path, job, "0" * 64)
    with pytest.raises(ValueError, match="is not the file 0000"):
        given_file(job)


def test_a_cell_without_a_file_says_where_one_comes_from(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="repliquant measure FILE"):
        given_file(_job(tmp_path))


@pytest.mark.parametrize(
    ("latency_s", "calls"), [(None, 1), (0.001, 10), (0.1, 5), (0.4, 1), (9.0, 1)]
)
def test_profiling_takes_no_longer_than_half_a_second(
    tmp_path: Path, latency_s: float | None, calls: int
) -> None:
    job = _job(tmp_path)
    if latency_s is not None:
        job.record("latency_s", [latency_s])
    assert profiled_calls(job) == calls


@pytest.mark.parametrize(
    ("repeat", "latency_s", "found"),
    [(0, 5.0, True), (1, 5.0, False), (1, 0.01, True), (2, 0.2, False)],
)
def test_slow_calls_are_profiled_once(
    tmp_path: Path, repeat: int, latency_s: float, found: bool
) -> None:
    job = _job(tmp_path)
    job.cell = msgspec.structs.replace(job.cell, repeat=repeat)
    job.record("latency_s", [latency_s])
    assert worth_profiling(job) is found
