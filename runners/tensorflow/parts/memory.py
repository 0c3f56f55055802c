"""Peak memory of a phase on a GPU: TensorFlow's allocator and the driver, as separate metrics.

The process's resident set is recorded for every cell where it ends (runners.execute).
"""

from __future__ import annotations

import contextlib
from typing import Iterator

import tensorflow as tf

from runners.job import Job
from runners.nvml import watching

_DEVICE = "GPU:0"


@contextlib.contextmanager
def watching_memory(job: Job, what: str) -> Iterator[None]:
    """Records ``peak_memory_bytes`` by label, also when ``what`` runs out of memory.

    ``allocator``: bytes in tensors, not what is reserved. ``nvml``: all that is used on the
    device, with CUDA's context and libraries.
    """
    if job.cell.device != "gpu":
        yield
        return
    with watching_allocator(job, "allocator"), watching(job, 0, series=what == "train"):
        yield


@contextlib.contextmanager
def watching_allocator(job: Job, label: str) -> Iterator[None]:
    """TensorFlow's own count alone; what lay in memory before belongs to it."""
    if job.cell.device != "gpu":
        yield
        return
    tf.config.experimental.reset_memory_stats(_DEVICE)
    try:
        yield
    finally:
        info = tf.config.experimental.get_memory_info(_DEVICE)
        job.record(
            "peak_memory_bytes", [int(info["peak"])], label=label,
            source="tf.config.experimental.get_memory_info",
        )  # fmt: skip
