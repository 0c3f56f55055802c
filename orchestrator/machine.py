"""What this host has, as far as planning needs to know, read without any framework."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path

from manifests.manifest import Gpu
from orchestrator.planning.allotment import Allotment, allotment, same


def gpu_count(root: Path = Path("/")) -> int:
    """NVIDIA GPUs of this machine, whoever may use them.

    The kernel's driver lists them; in some containers only their devices show, and in WSL2 only
    NVML knows of them.
    """
    return kernel_gpus(root) or (_nvml_gpus() if root == Path("/") else 0)


def kernel_gpus(root: Path = Path("/")) -> int:
    """NVIDIA GPUs in /proc, else in /dev."""
    try:
        return len(os.listdir(root / "proc/driver/nvidia/gpus"))
    except OSError:
        devices = (root / "dev").glob("nvidia[0-9]*")
        return sum(bool(re.fullmatch(r"nvidia\d+", device.name)) for device in devices)


@functools.cache
def _nvml_gpus() -> int:
    """Asked only where its library is there, which is quickly known."""
    try:
        import ctypes

        ctypes.CDLL("libnvidia-ml.so.1")
    except (ImportError, OSError):  # a Python may have been built without ctypes
        return 0
    from orchestrator.telemetry.nvml import Nvml

    nvml = Nvml()
    count = len(nvml.handles) if nvml.opened() else 0
    nvml.close()
    return count


def visible_gpus() -> Allotment:
    """The GPUs that were allotted to this process; all of them where nothing says otherwise."""
    return allotment(gpu_count())


def described() -> dict[int, Gpu]:
    """The GPUs as NVML describes them, by its numbers; none where it can't be asked."""
    from orchestrator.telemetry.gpus import NvmlGpus

    gpus = NvmlGpus()
    found = gpus.describe()
    gpus.close()
    return found


def compute_capability() -> str:
    """Of the first GPU that is ours, e.g. ``7.5``; empty where there is none or nobody tells."""
    import shutil
    import subprocess

    ours = visible_gpus().gpus
    program = shutil.which("nvidia-smi") if ours else None
    if program is None:
        return ""
    command = [program, "--query-gpu=index,uuid,compute_cap", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return _capability(ours[0], told.stdout) if told.returncode == 0 else ""


def _capability(entry: str, table: str) -> str:
    """The row of that entry; for an instance of MIG, which has none, what all cards agree on."""
    rows = [tuple(part.strip() for part in line.split(",")) for line in table.splitlines()]
    rows = [row for row in rows if len(row) == 3]
    found = {row[2] for row in rows if entry == row[0] or same(entry, row[1])}
    found = found or {row[2] for row in rows}
    return found.pop() if len(found) == 1 else ""


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
