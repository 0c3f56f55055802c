"""What this host has, as far as planning needs to know, read without any framework."""

from __future__ import annotations

import os
from pathlib import Path


def gpu_count() -> int:
    """NVIDIA GPUs that the kernel's driver knows of."""
    try:
        return len(os.listdir("/proc/driver/nvidia/gpus"))
    except OSError:
        return 0


def usable_cpus() -> list[int]:
    """Numbers of the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def free_bytes(folder: Path) -> int | None:
    """Free space where ``folder`` is or would be made."""
    import shutil

    for place in (folder, *folder.resolve().parents):
        if place.exists():
            return shutil.disk_usage(place).free
    return None
