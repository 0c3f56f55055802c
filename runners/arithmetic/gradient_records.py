"""What narrow formats make of the gradients of one step, as metrics (section 3.7.2)."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from runners.arithmetic.float_formats import from_bfloat16, to_bfloat16
from runners.arithmetic.gradients import Flushed, flushed
from runners.job import Job

Array = Any
FIRST_SCALE = 2.0**16
"""Where loss scaling begins: the default of PyTorch's GradScaler."""
_BFLOAT16_SMALLEST_NORMAL = 2.0**-126


def record_gradients(job: Job, weights: Sequence[Array], layers: Sequence[Array]) -> None:
    """float32 gradients of the weights and of the layers' outputs, in one step of one batch.

    The loss scale is what loss scaling arrives at for this step: halved from its first value
    until no gradient is infinite.
    """
    every = [*weights, *layers]
    scale = fitting_scale(every)
    job.record("loss_scale", [scale], source="halved from 65,536 until nothing overflows")
    narrow = flushed(every, 1.0, lambda x: from_bfloat16(to_bfloat16(x)), _BFLOAT16_SMALLEST_NORMAL)
    _record(job, "float16", flushed(every))
    _record(job, "float16-scaled", flushed(every, scale))
    _record(job, "bfloat16", narrow)
    _record(job, "float16-weights", flushed(weights))
    _record(job, "float16-scaled-weights", flushed(weights, scale))


def fitting_scale(gradients: Sequence[Array], first: float = FIRST_SCALE) -> float:
    """The largest power of two up to ``first`` at which no gradient overflows float16."""
    largest = np.array([np.abs(one).max() for one in gradients if one.size], np.float32)
    scale = first
    while scale > 1 and flushed([largest], scale).infinite:
        scale /= 2
    return scale


def _record(job: Job, label: str, found: Flushed) -> None:
    told = f"{found.gradients:,} gradients that are not 0; {found.subnormal:,} become subnormal"
    why = "" if found.gradients else "every gradient is 0"
    for name, lost in (("flushed", found.zero), ("overflowed", found.infinite)):
        share = found.share(lost)
        job.record(f"{name}_gradients", [share], label, found.gradients, told, why)
