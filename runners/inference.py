"""Inference, the same for every framework: accuracy, compute time, end-to-end time.

A technique gives a ``Session``: how to place a batch, how to call the model on what was
placed, and how to get classes back. Latency is the call alone; end to end is all three and
the normalisation.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple

import msgspec
import numpy as np

from runners.data import batches
from runners.job import Job
from runners.measure import Protocol, measure

Array = Any


class InferRecipe(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The measuring protocol; the share of it for end-to-end calls; how many calls to profile."""

    end_to_end_share: float = 0.25
    profile_calls: int = 0


class QuantizeRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many images calibrate, and how many test (0: all)."""

    calibration_images: int
    test_images: int


class Session(NamedTuple):
    """``place``: float32 NHWC -> inputs. ``call``: inputs -> outputs. ``classes``: -> int (n,)."""

    place: Callable[[Array], Any]
    call: Callable[[Any], Any]
    classes: Callable[[Any], Array]
    synchronise: Callable[[], Any] = lambda: None


def evaluate(job: Job, session: Session, test_images: int, batch_size: int) -> float:
    """Top-1 accuracy on the test split (0 images: all of it); records ``accuracy``."""
    part = job.data.test(test_images)
    correct = 0
    with job.phase("evaluate"):
        for done, batch in enumerate(batches(job.data, part, batch_size)):
            predicted = session.classes(session.call(session.place(batch.images)))
            correct += int(np.sum(predicted == batch.labels))
            job.events.step(min((done + 1) * batch_size, len(part.labels)), len(part.labels))
    accuracy = correct / len(part.labels)
    job.record("accuracy", [accuracy], items=len(part.labels))
    return accuracy


def time_inference(job: Job, session: Session) -> None:
    """Measure one batch by the cell's recipe: latency, throughput, end-to-end time."""
    recipe = job.recipe(InferRecipe)
    pixels = job.data.timed(job.cell.batch_size)
    placed = session.place(job.data.normalise(pixels))
    _time_compute(job, session, recipe, placed)
    _time_end_to_end(job, session, recipe, pixels)


def _time_compute(job: Job, session: Session, recipe: InferRecipe, placed: Any) -> None:
    with job.phase("measure"):
        measurement = measure(
            lambda: session.call(placed), recipe, session.synchronise, progress=job.events.step
        )
    samples, batch = measurement.samples, job.cell.batch_size
    job.flag(*measurement.flags)
    job.record("latency_s", samples, items=batch)
    job.record("throughput_items_per_s", [len(samples) * batch / sum(samples)], items=batch)


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
    with job.phase("end-to-end"):
        measurement = measure(whole, shorter, session.synchronise, progress=job.events.step)
    job.record("end_to_end_s", measurement.samples, items=job.cell.batch_size)
