"""Peak memory of a phase on a GPU, by TensorFlow's allocator.

The process's resident set is recorded for every cell where it ends (runners.execute), all that is
used on the GPU by the sampler beside it (machine.telemetry_flags).
"""

from __future__ import annotations

import contextlib
from typing import Iterator

import tensorflow as tf

from runners.job import Job

_DEVICE = "GPU:0"


@contextlib.contextmanager
def watching_allocator(job: Job, label: str = "allocator") -> Iterator[None]:
    """Records ``peak_memory_bytes``, also when what goes on inside runs out of memory.

    These are bytes in tensors, not what is reserved; what lay in memory before belongs to it.
    """
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
