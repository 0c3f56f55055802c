"""QONNX: written by Brevitas, executed by qonnx node by node, every number inside to see."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import numpy as np
import torch
from brevitas.export import export_qonnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.util.cleanup import cleanup_model

from runners.brevitas.parts.network import Network
from runners.failures import DamagedInput

Array = Any

QONNX_FILE = "model.qonnx.onnx"
OPSET = 17
_PRODUCTS = ("Conv", "Gemm", "MatMul")


class Executed(NamedTuple):
    """One product as qonnx executed it; ``operator`` is the node's."""

    operator: str
    inputs: Array
    weights: Array
    sums: Array


class QonnxModel:
    """A file for batches of one size."""

    def __init__(self, path: Path) -> None:
        """Raises DamagedInput for what isn't such a file."""
        try:
            self._model = ModelWrapper(str(path))
            self._input = self._model.graph.input[0].name
            self._output = self._model.graph.output[0].name
            self.batch = int(self._model.get_tensor_shape(self._input)[0])
        except Exception as error:
            raise DamagedInput(f"{path} is no QONNX file: {error!r}") from error

    def __call__(self, inputs: Array) -> Array:
        """float32 (n, channels, height, width) -> logits (n, classes)."""
        return self.answer(self.executed(inputs))

    def answer(self, tensors: Dict[str, Array]) -> Array:
        """The logits among the tensors of an execution."""
        return tensors[self._output]

    def executed(self, inputs: Array) -> Dict[str, Array]:
        """Every tensor by name, after executing every node."""
        found: Dict[str, Array] = execute_onnx(
            self._model, {self._input: inputs}, return_full_exec_context=True
        )
        return found

    def products(self, tensors: Dict[str, Array]) -> List[Executed]:
        """The convolutions and products among the nodes, in the order of execution."""
        return [
            Executed(node.op_type, *(tensors[name] for name in (*node.input[:2], node.output[0])))
            for node in self._model.graph.node
            if node.op_type in _PRODUCTS
        ]


def write_qonnx(model: Network, batch: int, path: Path) -> None:
    """Export ``model`` for batches of that size, cleaned up as qonnx asks for."""
    described = model.described
    size = described.image_size
    example = torch.zeros(batch, described.channels, size, size)
    export_qonnx(model, args=example, export_path=str(path), dynamo=False, opset_version=OPSET)
    cleanup_model(ModelWrapper(str(path))).save(str(path))


def equal_numbers(ours: List[Array], theirs: List[Array]) -> int:
    """How many numbers are the same in both; tensors are paired by their order."""
    return sum(int(np.sum(a == b)) for a, b in zip(ours, theirs) if np.shape(a) == np.shape(b))
