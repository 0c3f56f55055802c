"""The quality flags a manifest may carry, and what each of them tells the reader."""

from __future__ import annotations

from typing import Dict

# A percentile needs this many samples.
P90_SAMPLES = 64
P99_SAMPLES = 662

FLAGS: Dict[str, str] = {
    "high-variation": "the spread of the samples is large beside their median",
    "drift": "the second half of the samples differs from the first half",
    "few-samples": "too few samples for some percentiles, which are left out",
    "busy-machine": "other processes or the hypervisor took processor time during measuring",
    "clock-throttled": "the processor lowered its clock for its temperature during measuring",
    "gpu-throttled": "the GPU's clocks were held down during measuring",
    "foreign-gpu-process": "processes other than the cell's computed on its GPU during measuring",
    "simulated-quantization": "quantization was simulated in floating point",
}
