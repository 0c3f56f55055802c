"""Best of a few: each call is timed alone, and the fastest is the result.

stripes2026, section 4, as its text says. Nothing else on the machine makes a call faster, so that
the minimum is the least disturbed one; it also hides what every call pays now and then.
"""

from __future__ import annotations

import time
from typing import Optional

import msgspec
import numpy as np

from runners.data import batches
from runners.job import Job
from runners.session import Session

CONTROLLED = True
AVERAGE = "median"


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many calls are timed; on how many images the accuracy is taken (0: all)."""

    calls: int = 10
    profile_calls: int = 0
    test_images: Optional[int] = None


def infer_recipe(job: Job) -> Recipe:
    """The cell's recipe. Raises msgspec.ValidationError."""
    return job.recipe(Recipe)


def evaluate(job: Job, session: Session, test_images: int, batch_size: int) -> float:
    """Top-1 accuracy on the test split; records ``accuracy``."""
    part = job.data.test(test_images)
    with job.phase("evaluate"):
        found = [
            session.classes(session.call(session.place(batch.images))) == batch.labels
            for batch in batches(job.data, part, batch_size)
        ]
    accuracy = float(np.concatenate(found).mean())
    job.record("accuracy", [accuracy], items=len(part.labels))
    return accuracy


def time_inference(job: Job, session: Session) -> None:
    """Records ``latency_s``, one sample."""
    recipe = infer_recipe(job)
    placed = session.place(job.data.normalise(job.data.timed(job.cell.batch_size)))
    times = []
    with job.phase("measure"):
        for call in range(recipe.calls):
            begin = time.perf_counter()
            session.call(placed)
            session.synchronise()
            times.append(time.perf_counter() - begin)
            job.events.step(call + 1, recipe.calls)
    job.record(
        "latency_s", [min(times)], items=job.cell.batch_size, source=f"best of {recipe.calls} calls"
    )
