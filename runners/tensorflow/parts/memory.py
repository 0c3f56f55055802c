"""Peak memory of a phase on a GPU, by TensorFlow's allocator.

The process's resident set is recorded for every cell where it ends (runners.execute), all that is
used on the GPU by the sampler beside it (machine.telemetry_flags).
"""

from __future__ import annotations

import contextlib
from typing import Iterator

import tensorflow as tf

from runners.job import Job
from runners.measure import WARM_UP

_DEVICE = "GPU:0"


@contextlib.contextmanager
def watching_allocator(job: Job, label: str = "allocator") -> Iterator[None]:
    """Records ``peak_memory_bytes``, also when what goes on inside runs out of memory.

    These are bytes in tensors, not what is reserved; what lay in memory before belongs to it. The
    phase warm-up inside has a label of its own: cuDNN tries algorithms there, and their
    workspaces may take more than the model.
    """
    if job.cell.device != "gpu":
        yield
        return
    tf.config.experimental.reset_memory_stats(_DEVICE)

    def forget_warm_up() -> None:
        _record_peak(job, f"{label} {WARM_UP}")
        tf.config.experimental.reset_memory_stats(_DEVICE)

    try:
        with job.after_phase(WARM_UP, forget_warm_up):
            yield
    finally:
        _record_peak(job, label)


def _record_peak(job: Job, label: str) -> None:
    info = tf.config.experimental.get_memory_info(_DEVICE)
    job.record(
        "peak_memory_bytes", [int(info["peak"])], label=label,
        source="tf.config.experimental.get_memory_info",
    )  # fmt: skip
