"""Accuracies of the same test images are compared image by image."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from manifests.manifest import Manifest
from tests.comparisons.answers import answered
from tests.comparisons.lad2023 import one
from tests.manifests.samples import a_cell

IMAGES = 360


def missed(
    technique: str, wrong: Sequence[int], framework: str = "pytorch", images: str = "same"
) -> Manifest:
    task = "train" if technique in ("float32", "qat-eager", "qat-tfmot") else "quantize"
    cell = a_cell(task=task, framework=framework, technique=technique)
    return answered(cell, [number not in wrong for number in range(IMAGES)], images=images)


def ranking(ours: Sequence[int], theirs: Sequence[int], images: str = "same") -> list[Manifest]:
    """What claim C9 of lad2023 compares: both baselines, and what was made from them."""
    return [
        missed("float32", ours),
        missed("ptq-eager", ours),
        missed("qat-eager", ours),
        missed("float32", theirs, "tensorflow", images),
        missed("ptq-tflite", theirs, "tensorflow", images),
        missed("qat-tfmot", theirs, "tensorflow", images),
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
        missed("float32", range(30)),
        missed("ptq-eager", quantized),
        missed("float32", range(30), "tensorflow"),
        missed("ptq-tflite", range(30), "tensorflow"),
    ]
    found = one(manifests, "C7").measured
    assert found.state == state, found.why


def test_repeats_that_disagree_are_not_paired() -> None:
    manifests = ranking(range(19), range(20))
    again = missed("float32", range(1, 20))
    cell = msgspec.structs.replace(again.cell, repeat=1)
    manifests.append(msgspec.structs.replace(again, cell=cell, id=cell.id))
    assert one(manifests, "C9").measured.state == "undecided"
