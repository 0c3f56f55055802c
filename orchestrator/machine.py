"""What this host has, as far as planning needs to know, read without any framework."""

from __future__ import annotations

import os
import re
from pathlib import Path


def gpu_count(root: Path = Path("/")) -> int:
    """NVIDIA GPUs that the kernel's driver knows of; in some containers only devices show."""
    try:
        return len(os.listdir(root / "proc/driver/nvidia/gpus"))
    except OSError:
        devices = (root / "dev").glob("nvidia[0-9]*")
        return sum(bool(re.fullmatch(r"nvidia\d+", device.name)) for device in devices)


def compute_capability() -> str:
    """Of the first NVIDIA GPU, e.g. ``7.5``; empty where there is none or it can't be asked."""
    import shutil
    import subprocess

    program = shutil.which("nvidia-smi") if gpu_count() else None
    if program is None:
        return ""
    command = [program, "--query-gpu=compute_cap", "--format=csv,noheader", "--id=0"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip() if told.returncode == 0 else ""


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
