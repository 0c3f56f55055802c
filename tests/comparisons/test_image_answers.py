"""Accuracies of the same test images are compared image by image."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from manifests.manifest import Dataset, Inputs, Manifest, Split
from manifests.right_answers import RightAnswers
from tests.comparisons.lad2023 import one
from tests.comparisons.samples import measured, metric
from tests.manifests.samples import a_cell

IMAGES = 360


def answered(
    technique: str, wrong: Sequence[int], framework: str = "pytorch", images: str = "same"
) -> Manifest:
    right = np.ones(IMAGES, bool)
    right[list(wrong)] = False
    task = "train" if technique in ("float32", "qat-eager", "qat-tfmot") else "quantize"
    cell = a_cell(task=task, framework=framework, technique=technique)
    data = Dataset(
        name="digits", origin="here", classes=[], image_size=16, mean=[], std=[],
        splits={"test": Split(count=IMAGES, sha256=images)},
    )  # fmt: skip
    manifest = measured(
        cell, metric("accuracy", float(right.mean()), items=IMAGES), inputs=Inputs(dataset=data)
    )
    bits = base64.b64encode(np.packbits(right).tobytes()).decode()
    answers = RightAnswers(count=IMAGES, images_sha256=images, right=bits)
    return msgspec.structs.replace(manifest, answers=answers)


def ranking(ours: Sequence[int], theirs: Sequence[int], images: str = "same") -> list[Manifest]:
    """What claim C9 of lad2023 compares: both baselines, and what was made from them."""
    return [
        answered("float32", ours),
        answered("ptq-eager", ours),
        answered("qat-eager", ours),
        answered("float32", theirs, "tensorflow", images),
        answered("ptq-tflite", theirs, "tensorflow", images),
        answered("qat-tfmot", theirs, "tensorflow", images),
    ]


def test_two_models_that_miss_the_same_images_certainly_dont_lie_five_points_apart() -> None:
    """19 and 20 of 360 wrong: over different images their difference may be 5 points, not here."""
    paired = one(ranking(range(19), range(20)), "C9").measured
    assert paired.state == "does not hold here"
    apart = one(ranking(range(19), range(20), images="others"), "C9").measured
    assert apart.state == "undecided"


def test_missing_other_images_leaves_the_difference_open() -> None:
    found = one(ranking(range(60), range(60, 115)), "C9").measured
    assert found.state == "undecided"


@pytest.mark.parametrize(
    ("quantized", "state"),
    [
        (range(5, 40), "undecided"),  # 5 alone on one side, 10 on the other
        (range(50), "does not hold here"),  # 5.6 points lower, all of them new
    ],
)
def test_a_loss_is_judged_by_the_images_that_one_side_alone_gets_right(
    quantized: Sequence[int], state: str
) -> None:
    manifests = [
        answered("float32", range(30)),
        answered("ptq-eager", quantized),
        answered("float32", range(30), "tensorflow"),
        answered("ptq-tflite", range(30), "tensorflow"),
    ]
    found = one(manifests, "C7").measured
    assert found.state == state, found.why


def test_repeats_that_disagree_are_not_paired() -> None:
    manifests = ranking(range(19), range(20))
    again = answered("float32", range(1, 20))
    cell = msgspec.structs.replace(again.cell, repeat=1)
    manifests.append(msgspec.structs.replace(again, cell=cell, id=cell.id))
    assert one(manifests, "C9").measured.state == "undecided"
