"""Which function runs a captioner's cell, and what is said of one that none runs."""

from __future__ import annotations

import pytest

from runners.captions.tasks import task_of
from runners.failures import Unsupported
from runners.job import Job
from tests.manifests.samples import a_cell

WAYS = ("ptq-fx", "qat-fx")


def train(job: Job) -> None: ...


def quantize(job: Job) -> None: ...


@pytest.mark.parametrize(
    ("task", "technique", "runs"),
    [("train", "float32", train), ("train", "qat-fx", quantize), ("quantize", "ptq-fx", quantize)],
)
def test_a_cell_is_run_by_what_makes_its_model(task: str, technique: str, runs: object) -> None:
    cell = a_cell(task=task, technique=technique)
    assert task_of(cell, "PyTorch", WAYS, train, quantize) is runs


@pytest.mark.parametrize(
    ("task", "technique"), [("train", "ptq-fx"), ("quantize", "qat-fx"), ("quantize", "other")]
)
def test_others_are_refused_with_what_there_is(task: str, technique: str) -> None:
    with pytest.raises(Unsupported, match=f"no {task} by {technique}. Accepted: train by float32"):
        task_of(a_cell(task=task, technique=technique), "PyTorch", WAYS, train, quantize)
