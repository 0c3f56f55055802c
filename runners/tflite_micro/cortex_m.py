"""The same int8 file on a Cortex-M by CMSIS-NN's kernels (shafique2023, section 6.4).

It can't run here, and nothing is timed. What doesn't need the microcontroller is recorded: the
arena that the model takes, its operations by type and their multiply-adds; a variant says whether
the arena fits into so much memory.
"""

from __future__ import annotations

import msgspec

from runners.failures import Unsupported
from runners.job import Job
from runners.tflite_micro.parts import arena, measuring
from runners.tflite_types import prove_graph, refuse_other_types

VARIANTS = {
    "64-kib": "64 KiB of memory for the arena",
    "256-kib": "256 KiB of memory for the arena",
    "1-mib": "1 MiB of memory for the arena",
}
_KIB = 2**10
_MEMORY_BYTES = {"64-kib": 64 * _KIB, "256-kib": 256 * _KIB, "1-mib": 1024 * _KIB}


def infer(job: Job) -> None:
    with job.phase("build"):
        model = measuring.taken_model(job)
        source = "tensor types of the file's operations, none of which ran"
        proof = prove_graph(model.graph, "int8", source)
        refuse_other_types(model.path.name, proof)
        interpreter = arena.opened(model)
    job.proof = msgspec.structs.replace(proof, coverage=None)
    use = measuring.record_file(job, model, interpreter)
    if job.cell.variant:
        arena.check_memory(use, _MEMORY_BYTES[job.cell.variant])
    raise Unsupported(
        "needs a Cortex-M microcontroller with CMSIS-NN's kernels; this is a host. Its model would "
        f"take an arena of {use.total:,} bytes. Technique int8 runs the reference kernels, whose "
        "integers are CMSIS-NN's"
    )
