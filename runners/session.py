"""What a technique gives to be measured, the same for every framework and every protocol."""

from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import msgspec
import numpy as np

from manifests.flags import concerns
from manifests.manifest import Flag
from runners.fidelity import LOGITS
from runners.job import Job
from runners.measure import Measurement, Stopwatch

Array = Any


class Session(NamedTuple):
    """``place``: float32 NHWC -> inputs. ``call``: inputs -> outputs. ``classes``: -> int (n,).

    ``stopwatch`` times a call by the device's own clock. With ``fixed_batch`` the model takes
    batches of the cell's size only, and a shorter last one is filled up. ``region`` says what the
    latency covers, where that is not the same for every framework.

    ``outputs``: -> float (n, classes), dequantized, and ``kind`` one of runners.fidelity.KINDS;
    by itself outputs that are an array of floats, and logits. It is called after ``classes``, never
    while anything is timed.
    """

    place: Callable[[Array], Any]
    call: Callable[[Any], Any]
    classes: Callable[[Any], Array]
    synchronise: Callable[[], Any] = lambda: None
    stopwatch: Optional[Stopwatch] = None
    fixed_batch: bool = False
    region: str = ""
    outputs: Optional[Callable[[Any], Array]] = None
    kind: str = LOGITS


def filled(images: Array, count: int) -> Array:
    """``images`` and as many copies of the last one as make ``count``."""
    missing = count - len(images)
    return np.concatenate([images, np.repeat(images[-1:], missing, axis=0)]) if missing else images


def record_latency(job: Job, measurement: Measurement, source: str) -> None:
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
