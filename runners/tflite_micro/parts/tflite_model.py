"""A .tflite file: whether it is one, and what its operations compute in.

LiteRT reads it: unlike the interpreter for microcontrollers it checks every offset in the file
before it follows one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from runners.failures import Unsupported, first_line
from runners.tflite_micro.parts.operations import Operation, Tensor
from runners.tflite_types import Graph

MODEL_FILE = "model.tflite"
_SLACK_BYTES = 4 * 2**20


class TfliteModel(NamedTuple):
    """A file with one input, images, and one output, classes."""

    path: Path
    content: bytes
    entry: Tensor
    exit: Tensor
    operations: List[Operation]
    graph: Graph

    def arena_bound_bytes(self) -> int:
        """More than any arena that it can need: no result takes another's place."""
        results = sum(tensor.size_bytes for op in self.operations for tensor in op.outputs)
        return self.entry.size_bytes + results + len(self.content) + _SLACK_BYTES


def read_model(path: Path) -> TfliteModel:
    """Raises Unsupported that names the file and what is wrong with it, OSError."""
    content = path.read_bytes()
    interpreter = _opened(path, content)
    entries, exits = interpreter.get_input_details(), interpreter.get_output_details()
    if len(entries) != 1 or len(exits) != 1:
        raise Unsupported(
            f"{path.name} has {len(entries)} inputs and {len(exits)} outputs; it needs one of each"
        )
    tensors = {each["index"]: _tensor(each) for each in interpreter.get_tensor_details()}
    graph = Graph(interpreter._get_ops_details(), interpreter.get_tensor_details())
    operations = [_operation(found, tensors) for found in graph.operations]
    if not operations:
        raise Unsupported(f"{path.name} has no operations")
    entry, exit_ = tensors[entries[0]["index"]], tensors[exits[0]["index"]]
    return TfliteModel(path, content, entry, exit_, operations, graph)


def check_images(model: TfliteModel, batch_size: int, image_size: int) -> None:
    """Raises Unsupported unless it takes such a batch as it is: nothing resizes a model here."""
    wanted = (batch_size, image_size, image_size, 3)
    if model.entry.shape != wanted:
        raise Unsupported(
            f"{model.path.name} takes {_size(model.entry.shape)}; the cell has {_size(wanted)}, "
            "and TensorFlow Lite Micro can't resize a model"
        )
    if len(model.exit.shape) != 2:
        raise Unsupported(
            f"{model.path.name} answers {_size(model.exit.shape)}, not one value a class"
        )


def _size(shape: Tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _opened(path: Path, content: bytes) -> Any:
    """Raises Unsupported for a file that isn't a model, was cut off, or is of another format."""
    try:
        return Interpreter(
            model_content=content,
            num_threads=1,
            experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
        )
    except (ValueError, RuntimeError) as error:
        raise Unsupported(f"{path.name} is not a TFLite model: {first_line(error)}") from error


def _tensor(found: Dict[str, Any]) -> Tensor:
    scale, zero_point = found["quantization"]
    shape = tuple(int(side) for side in found["shape"])
    dtype = np.dtype(found["dtype"]).name
    return Tensor(found["index"], found["name"], shape, dtype, float(scale), int(zero_point))


def _operation(found: Mapping[str, Any], tensors: Dict[int, Tensor]) -> Operation:
    inputs, outputs = (
        [tensors[index] for index in found[side] if index in tensors]
        for side in ("inputs", "outputs")
    )
    return Operation(found["op_name"], inputs, outputs)
