"""A captioner that was trained anew, because a technique refuses the one that it started from.

lad2023, section II-A: its authors took components out of such a network until the rest went
through. Recipe, seed and data are those of the float network that the cell starts from.
"""

from __future__ import annotations

from typing import Any, Dict, NamedTuple

import msgspec

from runners.captions.evaluation import Answered
from runners.captions.recipes import TrainCaptionerRecipe
from runners.failures import DamagedInput
from runners.job import Job

Array = Any

LABEL = "trained anew in float32"
"""Of the metrics of the float network without what was taken out."""


class Retrained(NamedTuple):
    """Its weights by runners.models.captioner's names, and what it answers to the test pictures."""

    arrays: Dict[str, Array]
    answered: Answered


def recipe(job: Job) -> TrainCaptionerRecipe:
    """By which the float network was trained. Raises DamagedInput where that can't be read."""
    manifest = job.weights.manifest()
    if manifest is None:
        raise DamagedInput(
            f"{job.weights.folder} has no manifest that says how the float network was trained, "
            "and it has to be trained anew"
        )
    return msgspec.convert(manifest.cell.recipe, TrainCaptionerRecipe)
