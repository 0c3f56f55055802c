"""What this host has, as far as planning needs to know, read without any framework."""

from __future__ import annotations

import functools
import os
import re
import shutil
from pathlib import Path
from typing import Dict, List, Optional

from machine.allotment import Allotment, allotment, place
from machine.gpus import NvmlGpus
from machine.nvml import Nvml
from manifests.manifest import Gpu

_NVIDIA = "proc/driver/nvidia"


def gpu_count(root: Path = Path("/")) -> int:
    """NVIDIA GPUs of this machine, whoever may use them.

    The kernel's driver lists them; in some containers only their devices show, and in WSL2 only
    NVML knows of them.
    """
    return kernel_gpus(root) or (_nvml_gpus() if root == Path("/") else 0)


def kernel_gpus(root: Path = Path("/")) -> int:
    """NVIDIA GPUs in /proc, else in /dev."""
    try:
        return len(os.listdir(str(root / _NVIDIA / "gpus")))
    except OSError:
        devices = (root / "dev").glob("nvidia[0-9]*")
        return sum(bool(re.fullmatch(r"nvidia\d+", device.name)) for device in devices)


@functools.lru_cache(maxsize=1)
def _nvml_gpus() -> int:
    """Asked only where its library is there, which is quickly known."""
    try:
        import ctypes

        ctypes.CDLL("libnvidia-ml.so.1")
    except (ImportError, OSError):  # a Python may have been built without ctypes
        return 0
    nvml = Nvml()
    count = len(nvml.handles) if nvml.opened() else 0
    nvml.close()
    return count


def kernel_described(root: Path = Path("/")) -> List[Gpu]:
    """The GPUs that NVIDIA's kernel driver tells of, with the driver's version."""
    driver = re.search(r"Kernel Module.*?(\d+\.[\d.]+)", _text(root / _NVIDIA / "version"))
    return [
        Gpu(name=_model(_text(path)), driver=driver.group(1) if driver else None)
        for path in sorted((root / _NVIDIA / "gpus").glob("*/information"))
    ]


def _model(information: str) -> str:
    found = re.search(r"^Model[^:]*:[ \t]*(\S.*)$", information, re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def visible_gpus() -> Allotment:
    """The GPUs that were allotted to this process; all of them where nothing says otherwise."""
    return allotment(gpu_count())


def described() -> Dict[int, Gpu]:
    """The GPUs as NVML describes them, by its numbers; none where it can't be asked."""
    gpus = NvmlGpus()
    found = gpus.describe()
    gpus.close()
    return found


def free_memory_share(entry: str) -> Optional[float]:
    """How much of the card an entry names is free now, 0 ... 1; of a divided card nobody knows."""
    gpus = NvmlGpus()
    found = gpus.describe()
    numbers = place([entry], found).numbers
    used = {one.index: one.memory_used_bytes for one in gpus.read(None).samples}
    gpus.close()
    card = found.get(numbers[0]) if numbers else None
    if card is None or card.mig or not card.memory_bytes or used.get(numbers[0]) is None:
        return None
    return 1 - (used[numbers[0]] or 0) / card.memory_bytes


def compute_capability() -> str:
    """Of the first GPU that is ours, e.g. ``7.5``; empty where there is none or nobody tells."""
    ours = visible_gpus().gpus
    return capability_of(ours[0], described()) if ours else ""


def capability_of(entry: str, gpus: Dict[int, Gpu]) -> str:
    """That of the card an entry names; where which one is not known, what all cards agree on."""
    named = [gpus[number] for number in place([entry], gpus).numbers if number in gpus]
    told = {gpu.compute_capability for gpu in named or gpus.values()}
    return (told.pop() or "") if len(told) == 1 else ""


def usable_cpus() -> List[int]:
    """Numbers of the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def free_bytes(folder: Path) -> Optional[int]:
    """Free space where ``folder`` is or would be made."""
    for above in (folder, *folder.resolve().parents):
        if above.exists():
            return shutil.disk_usage(above).free
    return None
