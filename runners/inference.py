"""Inference, the same for every framework: accuracy, compute time, end-to-end time.

A technique gives a ``Session``: how to place a batch, how to call the model on what was placed,
and how to get classes back. How the numbers are taken is the protocol's: runners.protocols.
"""

from __future__ import annotations

from typing import Literal, Optional

import msgspec

from runners import outputs
from runners.job import Job
from runners.protocols import MeasuringRecipe, protocol
from runners.session import Array, Session, filled

__all__ = [
    "Array", "QuantizeRecipe", "Session", "evaluate", "filled", "infer_recipe", "time_inference",
]  # fmt: skip


class QuantizeRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many images calibrate, and how many test (0: all).

    ``evaluate`` is False where the weights learned from images of another size: what is measured
    then is the time of quantizing. ``calibration_source`` and ``calibration_classes`` are what
    runners.data draws calibration images from. ``model_sha256``: the person's own model file that
    the cell starts from, empty for the networks of runners.models; ``pixels``: what such a file
    takes its pixels as, one of runners.data.SCALES.
    """

    calibration_images: int
    test_images: int
    evaluate: bool = True
    model_sha256: str = ""
    pixels: str = "0-1"
    calibration_source: Literal["train", "test"] = "train"
    calibration_classes: int = 0


def evaluate(job: Job, session: Session, test_images: int, batch_size: int) -> Optional[float]:
    """Top-1 accuracy on the test split (0 images: all of it), as the protocol takes it; none where
    the recipe says not to.

    What was answered is kept, for the models that are made from this one.
    """
    if not job.cell.recipe.get("evaluate", True):
        return None
    collected = outputs.Collected(session)
    asked = protocol(job.cell.protocol)
    accuracy = asked.evaluate(job, collected.session, test_images, batch_size)
    job.session = session
    job.outputs = outputs.in_order(job, collected, test_images, accuracy)
    if job.outputs is not None and job.artifacts:  # a model that others start from
        outputs.keep(job, job.outputs)
    return accuracy


def infer_recipe(job: Job) -> MeasuringRecipe:
    """The cell's recipe, by its protocol. Raises msgspec.ValidationError."""
    recipe: MeasuringRecipe = protocol(job.cell.protocol).infer_recipe(job)
    return recipe


def time_inference(job: Job, session: Session) -> None:
    """Measure one batch of the cell's size, as the protocol does."""
    protocol(job.cell.protocol).time_inference(job, session)
    job.session = session
