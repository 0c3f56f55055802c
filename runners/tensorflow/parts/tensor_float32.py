"""TF32 in TensorFlow: on by default where the GPU has it (Ampere and later), and then float32
convolutions and products may be rounded to 10 bits of mantissa without any sign of it in the graph.

Rigorous cells forbid it, except the technique ``tf32``. As published it stays as TensorFlow has it.
"""

from __future__ import annotations

import os
from typing import Dict, Tuple

import msgspec
import tensorflow as tf

from manifests.manifest import Proof
from runners.failures import Unsupported
from runners.job import Job
from runners.protocols import controlled
from runners.tensorflow.parts.graphs import COMPUTE, GRADIENTS

FIRST_WITH_TF32 = (8, 0)
TECHNIQUE = "tf32"


def choose(job: Job) -> None:
    """Allow or forbid TF32 for this process, by the cell. Raises Unsupported where the technique
    asks for it and the GPU has none.
    """
    if job.cell.technique == TECHNIQUE:
        capability = compute_capability()
        if capability < FIRST_WITH_TF32:
            raise Unsupported(
                "TF32 begins with compute capability 8.0, and this GPU has "
                f"{'.'.join(map(str, capability)) or 'an unknown one'}"
            )
        tf.config.experimental.enable_tensor_float_32_execution(True)
    elif controlled(job.cell.protocol):
        tf.config.experimental.enable_tensor_float_32_execution(False)


def compute_capability() -> Tuple[int, ...]:
    """That of the first visible GPU, e.g. (8, 6); () where TensorFlow doesn't know it."""
    for gpu in tf.config.get_visible_devices("GPU"):
        details = tf.config.experimental.get_device_details(gpu)
        return tuple(details.get("compute_capability", ()))
    return ()


def allowed() -> bool:
    """Whether TensorFlow and NVIDIA's libraries may both use it."""
    forbidden = os.environ.get("NVIDIA_TF32_OVERRIDE") == "0"
    return bool(tf.config.experimental.tensor_float_32_execution_enabled()) and not forbidden


def qualified(job: Job, proof: Proof) -> Proof:
    """``proof`` with what is known of TF32: the graph's float32 is a claim only where it is off.

    Where it is on, which kernels used it is unknown, and so is the coverage of float32 and TF32.
    """
    if job.cell.device != "gpu":
        return proof
    if not allowed():
        return msgspec.structs.replace(proof, source=f"{proof.source}; TF32 off")
    capability = compute_capability()
    if capability and capability < FIRST_WITH_TF32:
        return msgspec.structs.replace(proof, source=f"{proof.source}; the GPU has no TF32")
    source = f"{proof.source}; TF32 on, and the graph doesn't tell which kernels used it"
    may = _compute(proof.operations.get("float32", {}))
    told = [f"{name} x{count} in float32 or TF32" for name, count in may.items()]
    if proof.promised not in ("float32", TECHNIQUE) or not may:
        return msgspec.structs.replace(proof, source=source)
    return msgspec.structs.replace(
        proof, source=source, coverage=None, fallback=[*proof.fallback, *told]
    )


def _compute(operations: Dict[str, int]) -> Dict[str, int]:
    return {name: n for name, n in operations.items() if name in (*COMPUTE, *GRADIENTS)}
