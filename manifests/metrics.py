"""One table of every metric: its name, unit, meaning, direction, and what it can be at all."""

from __future__ import annotations

import math
from typing import Dict, NamedTuple, Optional, Sequence, Union

Number = Union[int, float]


class MetricInfo(NamedTuple):
    """``better`` is "lower", "higher" or None where neither is.

    ``timed``: how fast the machine was at the time goes into it, so that what disturbs a
    measurement changes it. ``least`` and ``most`` are the ends of what it can be, None where
    there is none; with ``positive`` the lower end is 0 and isn't reached.
    """

    name: str
    unit: str
    meaning: str
    better: Optional[str]
    timed: bool = False
    positive: bool = False
    least: Optional[float] = None
    most: Optional[float] = None


def _time(name: str, meaning: str) -> MetricInfo:
    return MetricInfo(name, "s", meaning, "lower", timed=True, positive=True)


METRICS: Dict[str, MetricInfo] = {
    "latency_s": _time("latency", "one call on a batch, inputs in place (compute only)"),
    "end_to_end_s": _time(
        "end-to-end time", "one call from uint8 pixels to predicted classes on the host"
    ),
    "throughput_items_per_s": MetricInfo(
        "throughput", "items/s", "all items over all time of the measured calls", "higher",
        timed=True, positive=True,
    ),
    "steps_per_call": MetricInfo(
        "steps per call", "count", "steps that one call made of its batch", None, positive=True
    ),
    "train_epoch_s": _time("time per epoch", "one pass over the training images"),
    "train_step_s": _time("time per training step", "one optimizer step on one batch"),
    "train_loss": MetricInfo("training loss", "nats", "mean cross-entropy of an epoch", "lower"),
    "calibration_s": _time("calibration time", "running the calibration images"),
    "convert_s": _time("conversion time", "turning a model into its deployed form"),
    "model_size_bytes": MetricInfo(
        "model size", "bytes", "the file that would be deployed", "lower", positive=True
    ),
    "loss_scale": MetricInfo(
        "loss scale", "count",
        "factor by which the loss was multiplied before the float16 gradients", None,
        positive=True,
    ),
    "applied_steps": MetricInfo(
        "applied steps", "count", "optimizer steps that loss scaling did not skip", None, least=0
    ),
    "parameters": MetricInfo(
        "parameters", "count", "trained numbers in the model", None, positive=True
    ),
    "accuracy": MetricInfo(
        "accuracy", "fraction", "top-1 on the test split", "higher", least=0, most=1
    ),
    "peak_memory_bytes": MetricInfo(
        "peak memory", "bytes", "largest memory held; see its source", "lower", positive=True
    ),
    "energy_j": MetricInfo(
        "energy", "J", "energy over the measured phase", "lower", timed=True, least=0
    ),
    "op_time_s": MetricInfo(
        "operation time", "s", "time inside one operation (its label) per call", "lower",
        timed=True, least=0,
    ),
}  # fmt: skip

TIMED = tuple(name for name, info in METRICS.items() if info.timed)


def impossible(
    name: str, samples: Sequence[Optional[Number]], most_bytes: Optional[int] = None
) -> str:
    """What of these samples can't be, in words; "" where all can.

    ``most_bytes`` is the memory that the machine has, where it is known.
    """
    info = METRICS.get(name)
    most = most_bytes if name == "peak_memory_bytes" else None
    found = [s for s in samples if s is not None]
    # A manifest has thousands of samples, and a run thousands of manifests.
    if not found or (math.isfinite(sum(found)) and not _outside(found, info, most)):
        return ""
    why = [_why(value, info, most) for value in found]
    wrong = [index for index, reason in enumerate(why) if reason]
    if not wrong:
        return ""
    first = wrong[0]
    of = f" ({len(wrong):,} of {len(found):,} samples)" if len(found) > 1 else ""
    return f"{info.name if info else name} can't be {found[first]:.6g}: {why[first]}{of}"


def _outside(
    found: Sequence[Number], info: Optional[MetricInfo], most_bytes: Optional[int]
) -> bool:
    return any(_why(end, info, most_bytes) for end in (min(found), max(found)))


def _why(value: Number, info: Optional[MetricInfo], most_bytes: Optional[int]) -> str:
    if not math.isfinite(value):
        return "it is no finite number"
    if info is None:
        return ""
    if info.positive and value <= 0:
        return "it has to be more than 0"
    if info.least is not None and value < info.least:
        return f"it has to be at least {info.least:g}"
    if info.most is not None and value > info.most:
        return f"it has to be at most {info.most:g}"
    if most_bytes is not None and value > most_bytes:
        return f"the machine has {most_bytes:,} bytes"
    return ""
