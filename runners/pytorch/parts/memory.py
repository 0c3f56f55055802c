"""Peak memory of a phase: the allocator's view and the driver's, as separate metrics.

The process's resident set is recorded for every cell where it ends (runners.execution).
"""

from __future__ import annotations

import contextlib
from typing import Iterator

import torch

from runners.job import Job
from runners.nvml import watching

_ALLOCATOR = {"allocator": "max_memory_allocated", "reserved": "max_memory_reserved"}


@contextlib.contextmanager
def watching_memory(job: Job, device: torch.device, what: str) -> Iterator[None]:
    """Records ``peak_memory_bytes`` by label, also when ``what`` runs out of memory.

    ``allocator``: tensors; ``reserved``: what the allocator holds of the device; ``nvml``: all
    that is used on the device, which includes CUDA's context and libraries.
    """
    if device.type != "cuda":
        yield
        return
    torch.cuda.reset_peak_memory_stats()
    try:
        # Reading a series takes the interpreter now and then, which a single call would show.
        with watching(job, torch.cuda.current_device(), series=what == "train"):
            yield
    finally:
        for label, name in _ALLOCATOR.items():
            peak = int(getattr(torch.cuda, name)())
            job.record("peak_memory_bytes", [peak], label=label, source=f"torch.cuda.{name}")
