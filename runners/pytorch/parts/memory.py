"""Peak memory: the allocator's view, and the device's, as separate metrics.

The process's resident set is recorded for every cell where it ends (runners.execute), all that is
used on the GPU by the sampler beside it (machine.telemetry_flags).
"""

from __future__ import annotations

import contextlib
import gc
from typing import Iterator, Optional

import torch

from runners.job import Job
from runners.measure import WARM_UP

_ALLOCATOR = {"allocator": "max_memory_allocated", "reserved": "max_memory_reserved"}


@contextlib.contextmanager
def watching_allocator(job: Job, device: torch.device, phase: str = "") -> Iterator[None]:
    """Records ``peak_memory_bytes`` by label, also when what goes on inside runs out of memory.

    ``allocator``: tensors; ``reserved``: what the allocator holds of the device, a CUDA graph's
    pool among it. With ``phase`` the labels end in it, for what comes before measuring; so they
    do for the phase warm-up inside, in which cuDNN tries algorithms whose workspaces take more
    than the model (on an H100, 2.4 GiB beside the 0.2 of MobileNet_v1).
    """
    if device.type != "cuda":
        yield
        return
    torch.cuda.reset_peak_memory_stats()
    try:
        with job.after_phase(WARM_UP, lambda: forget_warm_up(job)):
            yield
    finally:
        _record_peaks(job, phase)


def forget_warm_up(job: Job) -> None:
    """What was needed until now goes under labels of its own; watching begins anew."""
    _record_peaks(job, WARM_UP)
    torch.cuda.reset_peak_memory_stats()


def _record_peaks(job: Job, phase: str) -> None:
    for label, name in _ALLOCATOR.items():
        peak = int(getattr(torch.cuda, name)())
        label = f"{label} {phase}" if phase else label
        job.record("peak_memory_bytes", [peak], label=label, source=f"torch.cuda.{name}")


def used_bytes(device: torch.device) -> Optional[int]:
    """What everybody holds of the GPU, the allocator's cache given back; None on a processor."""
    if device.type != "cuda":
        return None
    gc.collect()
    torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info()
    return int(total - free)


def record_growth(job: Job, device: torch.device, before: Optional[int]) -> None:
    """Records the label ``device``: what an engine holds outside of torch's allocator as well.

    ``before`` is ``used_bytes`` of when the device held nothing of the cell but its context.
    """
    after = used_bytes(device)
    if before is not None and after is not None:
        job.record(
            "peak_memory_bytes", [after - before], label="device",
            source="torch.cuda.mem_get_info after measuring, less what it said before building",
        )  # fmt: skip
