"""Cells whose test images were answered rightly or wrongly, one by one."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec
import numpy as np

from manifests.cell import Cell
from manifests.manifest import Dataset, Inputs, Manifest, Metric, Split
from manifests.right_answers import RightAnswers
from tests.comparisons.samples import measured, metric


def right_answers(right: Sequence[bool], images: str = "same") -> RightAnswers:
    bits = base64.b64encode(np.packbits(right).tobytes()).decode()
    return RightAnswers(count=len(right), images_sha256=images, right=bits)


def answered(cell: Cell, right: Sequence[bool], *more: Metric, images: str = "same") -> Manifest:
    """Of images that are the same where ``images`` is: which were answered rightly."""
    count = len(right)
    data = Dataset(
        name="digits", origin="here", classes=[], image_size=16, mean=[], std=[],
        splits={"test": Split(count=count, sha256=images)},
    )  # fmt: skip
    accuracy = metric("accuracy", sum(right) / count, items=count)
    made = measured(cell, accuracy, *more, inputs=Inputs(dataset=data))
    return msgspec.structs.replace(made, answers=right_answers(right, images))


def first_wrong(cell: Cell, wrong: int, *more: Metric, count: int = 2000) -> Manifest:
    """The first ``wrong`` images are answered wrongly."""
    return answered(cell, [number >= wrong for number in range(count)], *more)
