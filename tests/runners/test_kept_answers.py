"""What a cell keeps of its answers is what a comparison of two runs reads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from comparisons.answers import FILE, Answers, read_answers
from manifests.right_answers import unpacked
from runners.outputs import OUTPUTS_FILE, Outputs, keep, right_answers
from tests.comparisons.samples import measured, metric
from tests.manifests.samples import a_cell
from tests.runners.samples import a_job


@pytest.mark.parametrize("values", [None, np.eye(3, dtype=np.float32)])
def test_kept_answers_are_read_by_comparisons(tmp_path: Path, values: object) -> None:
    assert FILE == OUTPUTS_FILE
    job = a_job(tmp_path)
    images, labels = np.array([4, 2, 9]), np.array([0, 1, 2])
    keep(job, Outputs(images, labels, np.array([0, -1, 2]), values, "logits"))
    manifest = measured(a_cell(), metric("accuracy", 2 / 3), artifacts=job.artifacts)
    assert read_answers(tmp_path, manifest) == Answers((4, 2, 9), (True, False, True))


def test_a_manifest_names_the_images_that_were_recognised() -> None:
    images, labels = np.array([4, 2, 9]), np.array([0, 1, 2])
    found = right_answers(Outputs(images, labels, np.array([0, -1, 2]), None, "logits"))
    assert unpacked(found) == (True, False, True)
    other = right_answers(Outputs(images, labels[::-1], np.array([2, -1, 0]), None, "logits"))
    assert unpacked(other) == (True, False, True)
    assert found.images_sha256 != other.images_sha256
