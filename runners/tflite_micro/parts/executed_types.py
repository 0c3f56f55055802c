"""Which operations of a model compute in which data type.

The interpreter for microcontrollers runs the file's operations as they stand there, without
delegates, and so the types of their tensors are those that were computed in.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, List

from manifests.manifest import Proof
from runners.failures import Unsupported
from runners.tflite_micro.parts.arithmetic_counts import COMPUTE
from runners.tflite_micro.parts.operations import Operation

SOURCE = "tensor types of the operations that TensorFlow Lite Micro executed, without delegates"


def prove(operations: List[Operation], promised: str, source: str = SOURCE) -> Proof:
    """By the type of the input and of the result; a product of two types is named by both."""
    found: Dict[str, Counter[str]] = {}
    for operation in operations:
        found.setdefault(kind_of(operation), Counter())[operation.name] += 1
    compute = {kind: sum(names[name] for name in COMPUTE) for kind, names in found.items()}
    total = sum(compute.values())
    return Proof(
        promised=promised,
        operations={kind: dict(names) for kind, names in found.items()},
        coverage=compute.get(promised, 0) / total if total else None,
        fallback=[
            f"{name} x{count} in {kind}"
            for kind, names in found.items()
            if kind != promised
            for name, count in names.items()
        ],
        source=source,
    )


def kind_of(operation: Operation) -> str:
    """``int8``; ``int16x8`` and the like where activations and weights differ."""
    result = operation.outputs[0].dtype
    if operation.name not in COMPUTE:
        return result
    images, weights = operation.inputs[0], operation.inputs[1]
    if operation.name == "TRANSPOSE_CONV":
        images = operation.inputs[2]
    if images.dtype == weights.dtype:
        return result
    if (images.dtype, weights.dtype) == ("int16", "int8"):
        return "int16x8"
    return f"{images.dtype} with {weights.dtype} weights"


def refuse_other_types(name: str, proof: Proof) -> None:
    """Raises Unsupported for a file none of whose products is in the promised type."""
    if proof.coverage:
        return
    others = ", ".join(kind for kind in proof.operations if kind != proof.promised)
    raise Unsupported(
        f"{name} computes nothing in {proof.promised}: its operations are in {others}"
    )
