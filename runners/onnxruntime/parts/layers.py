"""The layers of a quantized ONNX model beside those of the float32 one it was made from.

A layer is a convolution or a product with the normalization and activation behind it. What it puts
out keeps its name, whatever the quantizer does: with Q/DQ nodes the dequantized tensor is named
after it, with integer operators its integers, their scale and their zero point are, and dynamic
quantization leaves it as it is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Set

import numpy as np
import onnx
from onnx import TensorProto, helper

from runners.fidelity import Layer, sqnr
from runners.float_parent import Layers
from runners.job import Job
from runners.model_file import in_layout
from runners.onnxruntime.parts.models import float_model
from runners.onnxruntime.parts.sessions import opened

Array = Any
Model = Any  # onnx.ModelProto

_COMPUTE = ("Conv", "Gemm", "MatMul")
_AFTER = ("BatchNormalization", "Relu", "Clip")
"""What quantizing makes part of the layer before it."""


def compare(job: Job, path: Path, images: Array) -> Layers:
    """What the quantized model at ``path`` and the float model make of float32 NHWC ``images``."""
    floats, quantized = float_model(job), onnx.load(str(path))
    chains = layer_tensors(floats)
    found = dequantized(quantized, chains)
    x = _tensors(job, floats, [chains[name][-1] for name in found], images)
    y = _tensors(job, quantized, list(found.values()), images)
    layers = [Layer(name, sqnr(a, b)) for name, a, b in zip(found, x, y)]
    unmatched = [name for name in chains if name not in found]
    return Layers(layers, unmatched, "each convolution and product, by ONNX Runtime's own kernels")


def layer_tensors(model: Model) -> Dict[str, List[str]]:
    """What the nodes of each layer of a float model put out, from first to last, by the name of the
    node that begins it.
    """
    readers: Dict[str, List[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found = {}
    for node in model.graph.node:
        if node.op_type in _COMPUTE:
            chain = [node.output[0]]
            while _is_part(readers.get(chain[-1], []), chain[-1]):
                chain.append(readers[chain[-1]][0].output[0])
            found[node.name] = chain
    return found


def _is_part(readers: Sequence[Any], tensor: str) -> bool:
    """Whether one node alone reads ``tensor``, and belongs to the layer that puts it out."""
    return len(readers) == 1 and readers[0].op_type in _AFTER and readers[0].input[0] == tensor


def dequantized(model: Model, chains: Mapping[str, Sequence[str]]) -> Dict[str, str]:
    """The float32 tensor that ends each layer in the quantized model, by the layer's name.

    It is the last of the layer's tensors that is left: integers cut off at zero need no activation
    behind them. Where there are integers alone, a node is added to ``model`` that dequantizes them.
    """
    made = {name for node in model.graph.node for name in node.output}
    found = {}
    for name, chain in chains.items():
        for tensor in reversed(chain):
            number = _as_number(model, made, tensor)
            if number:
                found[name] = number
                break
    return found


def _as_number(model: Model, made: Set[str], tensor: str) -> str:
    """What holds ``tensor`` as float32 numbers; "" where the model hasn't got it."""
    integers, number = f"{tensor}_quantized", f"{tensor}_DequantizeLinear_Output"
    if number in made:
        return number
    if tensor in made:
        return tensor
    if integers not in made:
        return ""
    inputs = [integers, f"{tensor}_scale", f"{tensor}_zero_point"]
    model.graph.node.append(helper.make_node("DequantizeLinear", inputs, [number]))
    return number


def _tensors(job: Job, model: Model, names: Sequence[str], images: Array) -> List[Array]:
    """What ``model`` puts out by those names, which become outputs of a copy of it."""
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    known = {output.name for output in shown.graph.output}
    shown.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        for name in names
        if name not in known
    )
    runtime = opened(job, shown)
    entry = runtime.get_inputs()[0]
    values = runtime.run(list(names), {entry.name: in_layout(images, entry.shape)})
    return [np.asarray(one, np.float32) for one in values]
