"""What held a cell back, in a line."""

from __future__ import annotations

from manifests.manifest import Limits
from services.phrases import size


def limits_words(limits: Limits) -> str:
    """Quota, memory, priority and processors; empty where nothing is limited."""
    quota, memory = limits.quota_cpus, limits.memory_bytes
    held = f"{len(limits.affinity)} of {limits.cpus_online} processors" if limits.affinity else ""
    parts = [
        f"a quota of {quota:g} processors" if quota is not None else "",
        f"{size(memory)} of memory" if memory is not None else "",
        f"nice {limits.nice}" if limits.nice else "",
        f"scheduling {limits.policy}" if limits.policy not in (None, "other") else "",
        f"held to {held}" if held else "",
    ]
    return ", ".join(part for part in parts if part)
