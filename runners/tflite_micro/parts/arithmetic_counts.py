"""How many multiply-adds the operations of a model have, from the shapes in its file."""

from __future__ import annotations

from typing import Dict, List

import numpy as np

from runners.tflite_micro.parts.operations import Operation
from runners.tflite_types import COMPUTE


def multiply_adds(operation: Operation) -> int:
    """Of one call; 0 for what is no convolution and no product. Padding counts as computed."""
    if operation.name not in COMPUTE:
        return 0
    results, weights = _elements(operation.outputs[0].shape), operation.inputs[1].shape
    if operation.name == "TRANSPOSE_CONV":  # (shape, weights (out, high, wide, in), images)
        return _elements(operation.inputs[2].shape) * _elements(weights[:3])
    if operation.name == "DEPTHWISE_CONV_2D":  # (1, high, wide, channels)
        return results * weights[1] * weights[2]
    return results * _elements(weights[1:])  # (out, high, wide, in) or (out, in)


def by_operation(operations: List[Operation]) -> Dict[str, int]:
    """Multiply-adds by the operation's name, for those that have any."""
    found: Dict[str, int] = {}
    for operation in operations:
        count = multiply_adds(operation)
        if count:
            found[operation.name] = found.get(operation.name, 0) + count
    return found


def _elements(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))
