"""A GPU as a line."""

from __future__ import annotations

from manifests.manifest import Gpu
from services.phrases import printable, size


def gpu_words(gpu: Gpu) -> str:
    """One line; what the driver doesn't tell is left out."""
    parts = [
        gpu.name,
        size(gpu.memory_bytes) if gpu.memory_bytes is not None else "",
        f"driver {gpu.driver}" if gpu.driver else "",
        f"CUDA {gpu.cuda}" if gpu.cuda else "",
        f"limit {gpu.power_limit_w:g} W" if gpu.power_limit_w is not None else "",
        "divided by MIG" if gpu.mig else "",
        gpu.uuid or "",
    ]
    index = f"{gpu.index}: " if gpu.index is not None else ""
    return printable(index + ", ".join(part for part in parts if part))
