"""The machine's own limit: how many multiply-adds a second a large matrix product reaches.

A convolution or product of a network can hardly be faster, so that a network's rate beside it says
how much of the machine a runtime uses. It is a measured limit, not the processor's nominal one: the
library's product, on as many threads as every other cell has.
"""

from __future__ import annotations

from typing import Any, Callable

from runners.job import Job
from runners.measure import Durations, measure
from runners.session import about


class ProductRecipe(Durations, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to measure; both matrices are square with that ``side``."""

    side: int


def record_rate(job: Job, recipe: ProductRecipe, type: str, product: Callable[[], Any]) -> None:
    """Record ``multiply_add_rate`` of calls that multiply two square matrices of that type."""
    measurement = measure(product, recipe, progress=job.events.step, phase=job.phase)
    job.flag(*about(measurement.flags, "multiply_add_rate"))
    rates = [recipe.side**3 / seconds if seconds else None for seconds in measurement.samples]
    reason = "" if all(rates) else "a call took no time"
    source = f"products of two {type} matrices of {recipe.side:,} x {recipe.side:,}"
    job.record("multiply_add_rate", rates, type, source=source, reason=reason)
