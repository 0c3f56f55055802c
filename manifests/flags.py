"""The quality flags a manifest may carry, and what each of them tells the reader."""

from __future__ import annotations

from typing import Dict, List, Literal, NamedTuple, Optional, Sequence, Tuple

from manifests.manifest import Flag, Machine, Manifest, Metric
from manifests.metrics import METRICS, TIMED, impossible

# An estimate of a percentile takes this many samples.
P90_SAMPLES = 64
P99_SAMPLES = 662

IMPOSSIBLE = "impossible-value"

_EVERY = tuple(METRICS)
_LATENCY = ("latency_s", "throughput_items_per_s")
_STEPS = ("train_step_s", "train_epoch_s", "energy_j")


Effect = Literal["voids", "unusable", "describes"]


class FlagInfo(NamedTuple):
    """``effect``: what becomes of a number that carries the flag.

    ``voids``: something outside of the cell disturbed it, so that it is measured again, whatever
    its value. ``unusable``: the number isn't what it is called. ``describes``: it is as good as
    ever; to leave it out for that would choose measurements by their values.

    ``concerns``: the metrics that it is about, where the flag itself names none.
    """

    meaning: str
    effect: Effect
    concerns: Tuple[str, ...] = TIMED

    @property
    def disqualifying(self) -> bool:
        """Whether no verdict can rest on a number that carries the flag."""
        return self.effect != "describes"


FLAGS: Dict[str, FlagInfo] = {
    "high-variation": FlagInfo(
        "the spread of the samples is large beside their median", "describes", _LATENCY
    ),
    "drift": FlagInfo(
        "the second half of the samples differs from the first half", "describes", _LATENCY
    ),
    "few-samples": FlagInfo(
        "too few samples for some percentiles, which are left out", "describes", _LATENCY
    ),
    "busy-machine": FlagInfo(
        "other processes or the hypervisor took processor time during measuring", "voids"
    ),
    "clock-throttled": FlagInfo(
        "the processor lowered its clock for its temperature during measuring", "voids"
    ),
    "quota-throttled": FlagInfo(
        "the control group's processor quota stopped the cell during measuring", "voids"
    ),
    "suspended": FlagInfo("the cell was stopped for a time during measuring", "voids"),
    "clock-stepped": FlagInfo(
        "the clock that timed the samples was set meanwhile", "voids", _LATENCY
    ),
    IMPOSSIBLE: FlagInfo("a sample is outside of what the quantity can be", "unusable", _EVERY),
    "gpu-throttled": FlagInfo("the GPU's clocks were held down during measuring", "voids"),
    "foreign-gpu-process": FlagInfo(
        "processes other than the cell's computed on its GPU during measuring", "voids"
    ),
    "stolen-time": FlagInfo(
        "the hypervisor gave processor time to others during measuring", "voids"
    ),
    "energy-parted": FlagInfo(
        "a device's energy counter and its power over time tell different energies",
        "unusable",
        ("energy_j", "energy_above_idle_j", "energy_per_item_j"),
    ),
    "skipped-steps": FlagInfo(
        "loss scaling skipped optimizer steps that were timed, which are therefore too short",
        "unusable",
        _STEPS,
    ),
    "uniform-data": FlagInfo(
        "the images are all the same or nearly so", "describes", ("accuracy", "train_loss")
    ),
    "unproven-precision": FlagInfo(
        "no convolution or product ran in the precision that the technique promises",
        "unusable",
        _EVERY,
    ),
    "simulated-quantization": FlagInfo(
        "quantization was simulated in floating point", "describes", _EVERY
    ),
}

PHASES: Dict[str, Tuple[str, ...]] = {
    "train": ("train_step_s", "train_epoch_s", "energy_j"),
    "calibrate": ("calibration_s", "energy_j"),
    "measure": (*_LATENCY, "energy_j"),
    "end-to-end": ("end_to_end_s", "energy_j"),
    "profile": (
        "op_time_s",
        "device_time_s",
        "promised_time_share",
        "outside_operations_s",
        "profiling_s",
    ),
}
"""The phases whose times are results, and the metrics that are measured in them."""

SAMPLED = ("measure", "end-to-end")
"""Those whose samples are judged by a watch over them alone, without the warm-up."""

# What is computed of another metric is as good as that.
_MADE_OF = {
    "energy_above_idle_j": "energy_j", "energy_per_item_j": "energy_j",
    "multiply_add_rate": "latency_s",
}  # fmt: skip

# A flag of a later version: what it means isn't known, so no verdict rests on its number.
_UNKNOWN = FlagInfo("", "unusable", _EVERY)


def disqualifies(name: str) -> bool:
    """Whether no verdict can rest on a number that carries the flag of that name."""
    return FLAGS.get(name, _UNKNOWN).disqualifying


def voids(name: str) -> bool:
    """Whether the flag of that name says that something outside disturbed the measurement."""
    return FLAGS.get(name, _UNKNOWN).effect == "voids"


def concerns(flag: Flag, metric: str) -> bool:
    """Whether a flag of a manifest is about its metric of that name."""
    about = flag.metrics or FLAGS.get(flag.name, _UNKNOWN).concerns
    return metric in about or _MADE_OF.get(metric) in about


def flags_of(manifest: Manifest, metric: str) -> List[str]:
    """The names of a manifest's flags that are about a metric, each once."""
    return sorted({flag.name for flag in manifest.flags if concerns(flag, metric)})


def impossible_flags(metrics: Sequence[Metric], machine: Optional[Machine] = None) -> List[Flag]:
    """A flag for each metric with samples that can't be on that machine."""
    told = {
        metric.name: impossible(metric.name, metric.samples, most_bytes(machine, metric.label))
        for metric in metrics
    }
    return [Flag(name=IMPOSSIBLE, detail=why, metrics=[name]) for name, why in told.items() if why]


def impossible_in(manifest: Manifest, metric: Metric) -> str:
    """What of a metric's samples can't be on that machine, in words; "" where all can."""
    return impossible(
        metric.name, metric.samples, most_bytes(manifest.environment.machine, metric.label)
    )


def most_bytes(machine: Optional[Machine], label: str) -> Optional[int]:
    """The memory that a ``peak_memory_bytes`` of that label is a part of; None if not known.

    Without a label it is the host's, with one a GPU's.
    """
    if machine is None:
        return None
    if not label:
        return machine.memory_bytes
    return max((gpu.memory_bytes or 0 for gpu in machine.gpus), default=0) or None
