"""Rigorous: the confounds that a measurement can do without are taken out of it.

The same call path and placement for every framework, defaults that differ between frameworks set
alike, synchronised on both sides of each call, warm-up and measuring by time and count, the whole
test set, samples kept. Compute and end-to-end are separate: latency is the call alone on a batch
in place, end to end is placing, call, classes and the normalisation.
"""

from __future__ import annotations

from typing import Any, Optional

import msgspec
import numpy as np

from runners.data import batches
from runners.job import Job
from runners.measure import Durations, measure
from runners.session import Array, Session, about, filled, record_latency

CONTROLLED = True
AVERAGE = "median"


class InferRecipe(Durations, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to measure; the share of it for end-to-end calls, 0 for none; how many calls to
    profile.

    ``test_images``: how many images the accuracy is taken on (0: all); without it, none is.
    ``calibration_images``: for engines that are calibrated where they run; without it, a batch.
    ``model_sha256`` and ``pixels``: as in runners.inference.QuantizeRecipe.
    """

    end_to_end_share: float = 0.25
    profile_calls: int = 0
    test_images: Optional[int] = None
    calibration_images: Optional[int] = None
    model_sha256: str = ""
    pixels: str = "0-1"


def infer_recipe(job: Job) -> InferRecipe:
    """The cell's recipe. Raises msgspec.ValidationError."""
    return job.recipe(InferRecipe)


def evaluate(job: Job, session: Session, test_images: int, batch_size: int) -> float:
    """Top-1 accuracy on the test split (0 images: all of it); records ``accuracy``."""
    part = job.data.test(test_images)
    correct = 0
    with job.phase("evaluate"):
        for done, batch in enumerate(batches(job.data, part, batch_size)):
            images = filled(batch.images, batch_size) if session.fixed_batch else batch.images
            predicted = session.classes(session.call(session.place(images)))
            correct += int(np.sum(predicted[: len(batch.labels)] == batch.labels))
            job.events.step(min((done + 1) * batch_size, len(part.labels)), len(part.labels))
    accuracy = correct / len(part.labels)
    job.record("accuracy", [accuracy], items=len(part.labels))
    return accuracy


def time_inference(job: Job, session: Session) -> None:
    """Measure one batch: latency and throughput of the call, then end to end."""
    recipe = infer_recipe(job)
    pixels = job.data.timed(job.cell.batch_size)
    placed = session.place(job.data.normalise(pixels))
    _time_compute(job, session, recipe, placed)
    if recipe.end_to_end_share:
        _time_end_to_end(job, session, recipe, pixels)


def _time_compute(job: Job, session: Session, recipe: InferRecipe, placed: Any) -> None:
    measurement = measure(
        lambda: session.call(placed), recipe, session.synchronise, progress=job.events.step,
        stopwatch=session.stopwatch, phase=job.phase,
    )  # fmt: skip
    by_device = "the device's events" if session.stopwatch else ""
    record_latency(job, measurement, session.region or by_device)


def _time_end_to_end(job: Job, session: Session, recipe: InferRecipe, pixels: Array) -> None:
    def whole() -> Array:
        return session.classes(session.call(session.place(job.data.normalise(pixels))))

    share = recipe.end_to_end_share
    shorter = msgspec.structs.replace(
        recipe,
        warm_up_s=recipe.warm_up_s * share,
        warm_up_count=1,
        measure_s=recipe.measure_s * share,
        measure_count=max(2, int(recipe.measure_count * share)),
    )
    measurement = measure(
        whole, shorter, session.synchronise, progress=job.events.step, phase=job.phase,
        name="end-to-end",
    )  # fmt: skip
    job.flag(*about(measurement.flags, "end_to_end_s"))
    job.record("end_to_end_s", measurement.samples, items=job.cell.batch_size)
