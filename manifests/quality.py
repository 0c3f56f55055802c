"""The quality flags a manifest may carry, and what each of them tells the reader."""

from __future__ import annotations

from typing import Dict, NamedTuple

# A percentile needs this many samples.
P90_SAMPLES = 64
P99_SAMPLES = 662


class FlagInfo(NamedTuple):
    """``disqualifying``: a verdict can't rest on a number that carries the flag."""

    meaning: str
    disqualifying: bool


FLAGS: Dict[str, FlagInfo] = {
    "high-variation": FlagInfo("the spread of the samples is large beside their median", True),
    "drift": FlagInfo("the second half of the samples differs from the first half", True),
    "few-samples": FlagInfo("too few samples for some percentiles, which are left out", False),
    "busy-machine": FlagInfo(
        "other processes or the hypervisor took processor time during measuring", True
    ),
    "clock-throttled": FlagInfo(
        "the processor lowered its clock for its temperature during measuring", True
    ),
    "quota-throttled": FlagInfo(
        "the control group's processor quota stopped the cell during measuring", True
    ),
    "suspended": FlagInfo("the cell was stopped for a time during measuring", True),
    "clock-stepped": FlagInfo("the clock that timed the samples was set meanwhile", True),
    "impossible-value": FlagInfo("a sample is outside of what the quantity can be", True),
    "gpu-throttled": FlagInfo("the GPU's clocks were held down during measuring", True),
    "foreign-gpu-process": FlagInfo(
        "processes other than the cell's computed on its GPU during measuring", True
    ),
    "skipped-steps": FlagInfo(
        "loss scaling skipped optimizer steps that were timed, which are therefore too short", True
    ),
    "uniform-data": FlagInfo("the images are all the same or nearly so", False),
    "simulated-quantization": FlagInfo("quantization was simulated in floating point", False),
}
