"""The float model two cells before: its answers are passed on by the cell between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manifests.codec import write_manifest
from manifests.manifest import Inputs, Manifest, Proof
from runners.data import Data
from runners.float_parent import record_fidelity
from runners.inference import evaluate
from runners.job import Job
from runners.outputs import FLOAT_OUTPUTS_FILE, OUTPUTS_FILE, read
from runners.starting_weights import Weights
from tests.manifests.samples import a_manifest
from tests.runners.family import Family, leave_a_model, linear, samples, weights
from tests.runners.samples import TEST, a_job


@pytest.fixture
def family(tmp_path: Path) -> Family:
    return Family(tmp_path)


def between(family: Family, limit: int = 0) -> tuple[Path, Manifest]:
    """A cell that made something of the float model, and left it for others."""
    job = family.child("between")
    leave_a_model(job)
    evaluate(job, linear(weights() + 0.02 * weights(1)), limit, 5)
    record_fidelity(job)
    made: Manifest = a_manifest(
        cell=job.cell, id=job.cell.id, artifacts=job.artifacts, fidelity=job.fidelity,
        proof=Proof(promised="int8", operations={}, coverage=1.0, fallback=[], source=""),
        inputs=Inputs(dataset=family.data.meta),
    )  # fmt: skip
    write_manifest(job.folder / "manifest.json", made)
    return job.folder, made


def grandchild(family: Family, folder: Path, made: Manifest, **cell: Any) -> Job:
    place = folder.parent / "grandchild"
    place.mkdir()
    fields = {"task": "infer", "framework": "another", "weights_from": made.id, **cell}
    job = a_job(place, Data(family.data.folder), **fields)
    job._weights = Weights(folder)
    return job


def test_what_leaves_a_model_leaves_the_float_models_answers_too(family: Family) -> None:
    folder, made = between(family)
    names = [one.path for one in made.artifacts]
    assert names == ["weights", OUTPUTS_FILE, FLOAT_OUTPUTS_FILE]
    own, passed_on = read(family.folder / OUTPUTS_FILE), read(folder / FLOAT_OUTPUTS_FILE)
    assert np.array_equal(own.values, passed_on.values) and own.kind == passed_on.kind


def test_another_framework_is_held_against_the_float_model(family: Family) -> None:
    folder, made = between(family)
    job = grandchild(family, folder, made)
    evaluate(job, linear(weights()), 0, 5)
    record_fidelity(job)
    fidelity = job.fidelity
    assert fidelity is not None and fidelity.parent == family.manifest.id
    assert fidelity.parent_outputs == f"passed on by cell {made.id}"
    assert fidelity.images == TEST
    # Not the cell between, whose answers differ.
    assert samples(job)["agreement", ""] == 1.0 and samples(job)["kl_nats", ""] == 0.0


def test_a_second_quantizing_in_the_same_framework_is_too(family: Family) -> None:
    folder, made = between(family)
    job = grandchild(family, folder, made, task="quantize", framework=made.cell.framework)
    evaluate(job, linear(weights()), 0, 5)
    record_fidelity(job)
    assert job.fidelity is not None and job.fidelity.parent == family.manifest.id


def test_an_inference_in_the_same_framework_was_held_against_it_before(family: Family) -> None:
    folder, made = between(family)
    job = grandchild(family, folder, made, framework=made.cell.framework)
    evaluate(job, linear(weights()), 0, 5)
    record_fidelity(job)
    assert job.fidelity is None


def test_images_that_the_cell_between_did_not_test_have_no_answers(family: Family) -> None:
    folder, made = between(family, limit=4)
    job = grandchild(family, folder, made)
    evaluate(job, linear(weights()), 0, 5)
    record_fidelity(job)
    assert job.fidelity is not None and job.fidelity.reason == (
        f"the float model's answers can't serve: cell {made.id} tested other images"
    )
    assert ("agreement", "") not in samples(job)
