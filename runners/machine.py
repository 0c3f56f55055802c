"""Facts about this computer and its Python, read without third-party packages."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Dict, Iterable, Optional

from machine import cgroup, processors
from machine.inventory import kernel_described
from manifests.credentials import redacted
from manifests.manifest import Limits, Machine
from manifests.variables import kept
from runners.failures import printable

# The sets that decide how fast low precision runs.
_TELLING_SETS = (
    "sse4_2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512_vnni", "avx_vnni",
    "avx512_bf16", "avx512_fp16", "amx_tile", "amx_int8", "amx_bf16", "asimd", "asimddp",
    "i8mm", "bf16", "sve", "sve2",
)  # fmt: skip
_VENDORED = "_vendor"


def machine(root: Path = processors.ROOT) -> Machine:
    """The computer as its operating system describes it, under ``root``."""
    info = processors.processor_facts(root)
    flags = (info.get("flags") or info.get("Features") or "").split()
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        architecture=platform.machine(),
        cpu=info.get("model name") or platform.processor() or None,
        cpus=usable_cpus(),
        instruction_sets=[name for name in _TELLING_SETS if name in flags],
        memory_bytes=_memory_bytes(root),
        hypervisor="hypervisor" in flags,
        gpus=kernel_described(root),
    )


def usable_cpus() -> int:
    """Processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limits() -> Limits:
    """What holds this process back from outside: quotas, memory, priority, processors."""
    online, memory = os.cpu_count(), cgroup.memory_limit_bytes()
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return Limits(
        quota_cpus=cgroup.quota_cpus(),
        memory_bytes=memory if memory and memory < (_memory_bytes() or memory + 1) else None,
        nice=os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else None,
        policy=_policy(),
        affinity=usable if online and len(usable) < online else [],
        cpus_online=online,
    )


def _policy() -> Optional[str]:
    """The scheduling class by its usual name."""
    names = ("other", "fifo", "rr", "batch", "idle", "deadline")
    known = {getattr(os, f"SCHED_{name.upper()}", None): name for name in names}
    try:
        return known.get(os.sched_getscheduler(0))
    except (AttributeError, OSError):
        return None


def telling_variables() -> Dict[str, str]:
    """Environment variables that change a framework's arithmetic or speed."""
    return {printable(key): printable(redacted(value)) for key, value in kept(os.environ).items()}


_kept: Dict[str, str] = {}


def keep_package_versions() -> None:
    """Have forks of this process, whose packages are the same, read them no more."""
    _kept.update(package_versions())


def package_versions(names: Iterable[str] = ()) -> Dict[str, str]:
    """Installed packages and their versions; all of them, or those named.

    What a package carries in itself (setuptools does) is on the path only where it was imported.
    """
    from importlib import metadata

    if _kept and not names:
        return dict(_kept)
    wanted = {name.lower() for name in names}
    found: Dict[str, str] = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if _VENDORED in os.path.normpath(str(distribution.locate_file(""))).split(os.sep):
            continue
        if name and (not wanted or name.lower() in wanted):
            found.setdefault(name, distribution.version)  # the first on the path is imported
    return dict(sorted(found.items()))


def peak_rss_bytes() -> Optional[int]:
    """The largest resident set this process has had, or None where that can't be read.

    ``ru_maxrss`` begins with what the process that started this one had, so that it is only asked
    where there is no /proc.
    """
    own = _high_water_bytes()
    if own is not None:
        return own
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if platform.system() == "Darwin" else peak * 1024


def _high_water_bytes(root: Path = processors.ROOT) -> Optional[int]:
    try:
        lines = (root / "proc/self/status").read_text(errors="replace").splitlines()
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
        return int(peak) * 1024
    except (OSError, ValueError):
        return None


def _memory_bytes(root: Path = processors.ROOT) -> Optional[int]:
    try:
        return processors.memory(root).total
    except (OSError, ValueError, LookupError):
        return None
