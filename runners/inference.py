"""Inference, the same for every framework: accuracy, compute time, end-to-end time.

A technique gives a ``Session``: how to place a batch, how to call the model on what was placed,
and how to get classes back. How the numbers are taken is the protocol's: runners.protocols.
"""

from __future__ import annotations

import statistics
from typing import Literal, Optional

import msgspec

from runners import outputs
from runners.job import Job
from runners.models.network_size import network_size
from runners.protocols import MeasuringRecipe, protocol
from runners.session import Array, Session, filled

__all__ = [
    "Array", "QuantizeRecipe", "Session", "evaluate", "filled", "infer_recipe", "record_size",
    "time_inference",
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
    the recipe says not to, and in a probe.

    What was answered is kept, for the models that are made from this one.
    """
    if job.cell.task == "probe":
        job.session = session
        return None
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
    """Measure one batch of the cell's size, as the protocol does; in a probe nothing."""
    if job.cell.task == "probe":
        job.session = session
        return
    protocol(job.cell.protocol).time_inference(job, session)
    job.session = session
    record_size(job)


def record_size(job: Job) -> None:
    """Record how large the network is, where its structure is known, and so its rate."""
    cell = job.cell
    if cell.recipe.get("model_sha256"):  # a person's own file, whatever it is called
        return
    size = network_size(cell.model, len(job.data.meta.classes), cell.image_size)
    if size is None:
        return
    source = "the network's structure"
    job.record("parameters", [size.parameters], source=source)
    job.record("multiply_adds", [size.multiply_adds], "image", source=source)
    job.record("depthwise_share", [size.depthwise_layers], "layers", source=source)
    job.record("depthwise_share", [size.depthwise_multiply_adds], "multiply-adds", source=source)
    job.record("bytes_moved", [size.bytes_moved(cell.batch_size)], source=source)
    rate = _rate(job, size.multiply_adds * cell.batch_size)
    reason = "" if rate else "no latency was measured"
    job.record("multiply_add_rate", [rate], source=f"{source} and the latency", reason=reason)


def _rate(job: Job, multiply_adds: int) -> Optional[float]:
    """Multiply-adds a second, by the median of the latencies."""
    found = (metric.samples for metric in job.metrics if metric.name == "latency_s")
    times = [sample for samples in found for sample in samples if sample]
    return multiply_adds / statistics.median(times) if times else None
