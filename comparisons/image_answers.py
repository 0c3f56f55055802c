"""Accuracies of the same test images are compared image by image: only those count that one model
alone recognises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from comparisons.proportions import paired_interval
from comparisons.sequential.partners import Process
from manifests.manifest import Manifest
from manifests.right_answers import RightAnswers, unpacked
from manifests.units import UNITS
from papers.published import Column

_PAIRED_METRIC = "accuracy"


class ImageAnswers(NamedTuple):
    """Truths for the test images that ``images`` stands for; a share of them times ``factor``."""

    images: str
    right: tuple[bool, ...]
    factor: float

    def ahead_of(self, other: ImageAnswers) -> tuple[float, float] | None:
        """The interval of 95 % of this share less another's; None where it is of other images."""
        same = (self.images, len(self.right), self.factor)
        if same != (other.images, len(other.right), other.factor):
            return None
        both = list(zip(other.right, self.right, strict=True))
        theirs = sum(their and not our for their, our in both)
        ours = sum(our and not their for their, our in both)
        low, high = paired_interval(theirs, ours, len(both))
        return low * self.factor, high * self.factor


def answers_of(
    column: Column, processes: Sequence[Process], value: float, manifests: Mapping[str, Manifest]
) -> ImageAnswers | None:
    """None where no process recorded them that has this value, or where repeats disagree."""
    if column.metric != _PAIRED_METRIC:
        return None
    factor = UNITS[column.unit].factor
    found = {_read(manifests.get(one.cell), factor) for one in processes if one.value is not None}
    if len(found) != 1:
        return None
    (answers,) = found
    if answers is None or abs(
        sum(answers.right) / len(answers.right) * factor - value
    ) > factor / len(answers.right):
        return None
    return answers


def _read(manifest: Manifest | None, factor: float) -> ImageAnswers | None:
    return image_answers(manifest.answers if manifest else None, factor)


def image_answers(recorded: RightAnswers | None, factor: float) -> ImageAnswers | None:
    """Those that a manifest has; None where it has none or they can't be read."""
    right = unpacked(recorded) if recorded else None
    if recorded is None or right is None:
        return None
    return ImageAnswers(recorded.images_sha256, right, factor)
