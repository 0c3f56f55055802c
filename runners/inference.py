"""Inference, the same for every framework: accuracy, compute time, end-to-end time.

A technique gives a ``Session``: how to place a batch, how to call the model on what was
placed, and how to get classes back. Latency is the call alone; end to end is all three and
the normalisation.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable, List, NamedTuple, Optional, Sequence, Union

import msgspec
import numpy as np

from manifests.flags import concerns
from manifests.manifest import Flag
from runners.data import batches
from runners.job import Job
from runners.measure import Measurement, Protocol, Stopwatch, measure, measure_as_published

Array = Any


class InferRecipe(Protocol, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The measuring protocol; the share of it for end-to-end calls; how many calls to profile.

    ``test_images``: how many images the accuracy is taken on (0: all); without it, none is.
    ``calibration_images``: for engines that are calibrated where they run; without it, a batch.
    """

    end_to_end_share: float = 0.25
    profile_calls: int = 0
    test_images: Optional[int] = None
    calibration_images: Optional[int] = None


class PublishedRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The protocol as-published: counts of calls, no times (shafique2023's public notebook)."""

    warm_up_count: int = 50
    measure_count: int = 300
    profile_calls: int = 0
    test_images: Optional[int] = None


class QuantizeRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many images calibrate, and how many test (0: all)."""

    calibration_images: int
    test_images: int


class Session(NamedTuple):
    """``place``: float32 NHWC -> inputs. ``call``: inputs -> outputs. ``classes``: -> int (n,).

    ``stopwatch`` times a call by the device's own clock. With ``fixed_batch`` the model takes
    batches of the cell's size only, and a shorter last one is filled up. ``region`` says what the
    latency covers, where that is not the same for every framework.
    """

    place: Callable[[Array], Any]
    call: Callable[[Any], Any]
    classes: Callable[[Any], Array]
    synchronise: Callable[[], Any] = lambda: None
    stopwatch: Optional[Stopwatch] = None
    fixed_batch: bool = False
    region: str = ""


def evaluate(job: Job, session: Session, test_images: int, batch_size: int) -> float:
    """Top-1 accuracy on the test split (0 images: all of it); records ``accuracy``."""
    if job.cell.protocol == "as-published":
        return evaluate_first_fifth(job, session, test_images, batch_size)
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


def evaluate_first_fifth(job: Job, session: Session, test_images: int, batch_size: int) -> float:
    """As shafique2023's notebook did: the mean of the batches' accuracies, over the first fifth
    of the test split's batches; records ``accuracy``.
    """
    part = job.data.test(test_images)
    count = max(1, -(-len(part.labels) // batch_size) // 5)
    images_tested = min(count * batch_size, len(part.labels))
    shares = []
    with job.phase("evaluate"):
        for batch in itertools.islice(batches(job.data, part, batch_size), count):
            images = filled(batch.images, batch_size) if session.fixed_batch else batch.images
            predicted = session.classes(session.call(session.place(images)))
            shares.append(float(np.mean(predicted[: len(batch.labels)] == batch.labels)))
            job.events.step(len(shares), count)
    accuracy = sum(shares) / count
    source = f"mean over the first {count} batches, a fifth of the test split"
    job.record("accuracy", [accuracy], items=images_tested, source=source)
    return accuracy


def filled(images: Array, count: int) -> Array:
    """``images`` and as many copies of the last one as make ``count``."""
    missing = count - len(images)
    return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing else images


def infer_recipe(job: Job) -> Union[InferRecipe, PublishedRecipe]:
    """The cell's recipe, by its protocol. Raises msgspec.ValidationError."""
    if job.cell.protocol == "as-published":
        return job.recipe(PublishedRecipe)
    return job.recipe(InferRecipe)


def time_inference(job: Job, session: Session) -> None:
    """Measure one batch by the cell's recipe: latency, throughput, end-to-end time."""
    recipe = infer_recipe(job)
    pixels = job.data.timed(job.cell.batch_size)
    placed = session.place(job.data.normalise(pixels))
    if isinstance(recipe, PublishedRecipe):
        _time_as_published(job, session, recipe, placed)
    else:
        _time_compute(job, session, recipe, placed)
        _time_end_to_end(job, session, recipe, pixels)


def _time_as_published(job: Job, session: Session, recipe: PublishedRecipe, placed: Any) -> None:
    with job.phase("measure"):
        measurement = measure_as_published(
            lambda: session.call(placed), recipe.warm_up_count, recipe.measure_count,
            progress=job.events.step,
        )  # fmt: skip
        session.synchronise()
    _record_latency(job, measurement, "time.time() around the call, not synchronised")


def _time_compute(job: Job, session: Session, recipe: InferRecipe, placed: Any) -> None:
    with job.phase("measure"):
        measurement = measure(
            lambda: session.call(placed), recipe, session.synchronise, progress=job.events.step,
            stopwatch=session.stopwatch,
        )  # fmt: skip
    by_device = "the device's events" if session.stopwatch else ""
    _record_latency(job, measurement, session.region or by_device)


def _record_latency(job: Job, measurement: Measurement, source: str) -> None:
    samples, batch = measurement.samples, job.cell.batch_size
    job.flag(*about(measurement.flags, "latency_s", "throughput_items_per_s"))
    job.record("latency_s", samples, items=batch, source=source)
    whole = sum(samples)
    rate = len(samples) * batch / whole if whole else None
    reason = "" if whole else "the measured calls took no time"
    job.record("throughput_items_per_s", [rate], items=batch, reason=reason)


def about(flags: Sequence[Flag], *metrics: str) -> List[Flag]:
    """The flags of one measurement, which say nothing of what else the cell measures.

    What disturbs the machine goes into the energy of that time too.
    """
    return [
        msgspec.structs.replace(
            flag,
            metrics=[*metrics, *(["energy_j"] if concerns(flag, "energy_j") else [])],
        )
        for flag in flags
    ]


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
    job.flag(*about(measurement.flags, "end_to_end_s"))
    job.record("end_to_end_s", measurement.samples, items=job.cell.batch_size)
