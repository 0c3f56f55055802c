"""Which of OpenVINO's devices a cell runs on, and what that is set to; imports no OpenVINO."""

from __future__ import annotations

from typing import Any, Dict

from runners.failures import Unsupported
from runners.job import Job

HINT = "INFERENCE_PRECISION_HINT"
_NAMES = {"cpu": "CPU", "gpu": "GPU"}
_TELLING = (
    HINT, "PERFORMANCE_HINT", "EXECUTION_MODE_HINT", "NUM_STREAMS", "INFERENCE_NUM_THREADS",
    "ENABLE_CPU_PINNING", "ENABLE_HYPER_THREADING", "SCHEDULING_CORE_TYPE",
)  # fmt: skip


def device_of(job: Job, core: Any) -> str:
    """OpenVINO's name of the cell's device; several GPUs have a number behind it, and the first is
    taken. Raises Unsupported with the devices that ``core``, an openvino.Core, sees.
    """
    name = _NAMES[job.cell.device]
    there = [str(one) for one in core.available_devices]
    found = [one for one in there if one == name or one.startswith(f"{name}.")]
    if not found:
        raise Unsupported(f"OpenVINO sees no {name} here, only {', '.join(there) or 'nothing'}")
    return found[0]


def settings(job: Job, hint: str, counted: bool) -> Dict[str, Any]:
    """What the plug-in is given.

    ``hint`` is f32, bf16 or f16. Without one it takes bfloat16 or float16 where that is faster.
    """
    found = {HINT: hint, "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": counted}
    if job.cell.device == "cpu":
        found["INFERENCE_NUM_THREADS"] = job.threads
    return found


def effective(made: Any) -> Dict[str, str]:
    """What the plug-in made of it, of a compiled model, as far as it tells."""
    known = {str(name) for name in made.get_property("SUPPORTED_PROPERTIES")}
    return {name: _word(made.get_property(name)) for name in _TELLING if name in known}


def _word(value: Any) -> str:
    """A type or a member of an enumeration by its own name."""
    return str(value.to_string() if hasattr(value, "to_string") else getattr(value, "name", value))
