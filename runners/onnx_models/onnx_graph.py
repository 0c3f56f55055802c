"""The networks of runners.models as ONNX models, built node by node from neutral weights.

Input ``images``, float32 (batch, 3, size, size); output ``logits``, float32 (batch, classes). As in
every other framework, keras.applications' networks take pixels 0 ... 255 and hold their
preprocessing, and ResNet18 takes what runners.data normalised. BatchNorm stays a node of its own:
to fold it is the runtime's work. ONNX 1.12, opset 17.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from runners.failures import DamagedInput, Unsupported
from runners.models.keras_applications import (
    APPLICATIONS,
    Application,
    Convolution,
    Flatten,
    MaxPool,
    Normalisation,
    Preprocessing,
    Relu,
    Residual,
    application,
    kernel_shape,
)
from runners.models.resnet18 import NETWORKS, Block, Conv, ResNet, network_of

Array = Any
Model = Any  # onnx.ModelProto

INPUT, OUTPUT, BATCH = "images", "logits", "batch"
PREPROCESSING = "preprocess_"
"""How the names of nodes begin that are keras.applications' preprocess_input."""
OPSET, IR_VERSION = 17, 8
PRODUCER = "repliquant"


def onnx_model(model: str, classes: int, image_size: int, arrays: Mapping[str, Array]) -> Model:
    """The network called ``model`` with those neutral weights, checked by ``onnx.checker``.

    Raises Unsupported for an unknown network, and for weights that aren't finite: their training
    diverged. DamagedInput for weights that are missing or of another shape.
    """
    if model in APPLICATIONS:
        return application_model(application(model, classes, image_size), arrays)
    if model in NETWORKS:
        return resnet_model(network_of(model, classes), image_size, arrays)
    raise Unsupported(f"no model {model!r}. Accepted: {', '.join([*NETWORKS, *APPLICATIONS])}")


def application_model(network: Application, arrays: Mapping[str, Array]) -> Model:
    """A network of keras.applications, its preprocessing included. Raises DamagedInput."""
    graph = Graph(arrays)
    x = _preprocessed(graph, INPUT, network.preprocessing)
    _sequence(graph, x, network.layers)
    return graph.model(network.name, network.image_size, network.classes)


def resnet_model(network: ResNet, image_size: int, arrays: Mapping[str, Array]) -> Model:
    """lad2023's ResNet18 for pictures of any one size, with or without BatchNorm. Raises
    DamagedInput.
    """
    graph = Graph(arrays)
    x = graph.node("Relu", [_conv(graph, INPUT, network.stem)], "stem_relu")
    for block in network.blocks:
        x = _block(graph, x, block)
    x = graph.node("GlobalAveragePool", [x], "pool")
    x = graph.node("Flatten", [x], "flatten", axis=1)
    _gemm(graph, x, "head", "weight", (network.features, network.classes))
    name = "resnet18-bn" if network.normalisations else "resnet18"
    return graph.model(name, image_size, network.classes)


def node_names(model: Model, beginning: str = "") -> List[str]:
    """The names of a model's nodes that begin so."""
    return [node.name for node in model.graph.node if node.name.startswith(beginning)]


def operators_of(path: Path) -> List[str]:
    """The operator of every node in a file."""
    return [node.op_type for node in onnx.load(str(path)).graph.node]


class Graph:
    """Nodes and constants on their way to becoming a model; a node's output has the node's name."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self._nodes: List[Any] = []
        self._constants: Dict[str, Any] = {}

    def node(self, operator: str, inputs: Sequence[str], name: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        self._nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def weight(self, name: str, shape: Tuple[int, ...], order: Tuple[int, ...] = ()) -> str:
        """A constant from the weights, its axes in ``order``. Raises DamagedInput, Unsupported."""
        array = self._arrays.get(name)
        if array is None:
            raise DamagedInput(f"the neutral weights have no array {name!r}")
        if array.shape != shape:
            raise DamagedInput(f"{name!r} of the neutral weights is {array.shape}, not {shape}")
        if not np.isfinite(array).all():
            raise Unsupported(f"{name!r} of the neutral weights holds values that aren't finite")
        return self.constant(name, array.transpose(order) if order else array)

    def constant(self, name: str, array: Array) -> str:
        """A constant; the same name twice is the same constant."""
        kept = array if array.dtype.kind == "i" else array.astype(np.float32)
        self._constants[name] = numpy_helper.from_array(np.ascontiguousarray(kept), name)
        return name

    def model(self, name: str, image_size: Optional[int], classes: int) -> Model:
        """The last node becomes the output. Without an ``image_size`` pictures may have any."""
        self._nodes[-1].output[0] = OUTPUT
        shape = [BATCH, 3, image_size or "height", image_size or "width"]
        entry = helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, shape)
        exit_ = helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, [BATCH, classes])
        graph = helper.make_graph(
            self._nodes, name, [entry], [exit_], list(self._constants.values())
        )
        made = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
        )
        onnx.checker.check_model(made, full_check=True)
        return made


def _preprocessed(graph: Graph, x: str, preprocessing: Preprocessing) -> str:
    """(pixel[order] - mean) / scale, channel by channel."""
    if preprocessing.reverse:
        order = graph.constant(f"{PREPROCESSING}order", np.array([2, 1, 0], np.int64))
        x = graph.node("Gather", [x, order], f"{PREPROCESSING}reverse", axis=1)
    mean = np.array(preprocessing.mean, np.float32).reshape(1, 3, 1, 1)
    x = graph.node(
        "Sub", [x, graph.constant(f"{PREPROCESSING}mean", mean)], f"{PREPROCESSING}subtract"
    )
    if preprocessing.scale == 1.0:
        return x
    scale = graph.constant(f"{PREPROCESSING}scale", np.array(preprocessing.scale, np.float32))
    return graph.node("Div", [x, scale], f"{PREPROCESSING}divide")


def _sequence(graph: Graph, x: str, layers: Sequence[Any]) -> str:
    for layer in layers:
        x = _layer(graph, x, layer)
    return x


def _layer(graph: Graph, x: str, layer: Any) -> str:
    if isinstance(layer, Convolution):
        return _convolution(graph, x, layer)
    if isinstance(layer, Normalisation):
        return _normalisation(graph, x, layer)
    if isinstance(layer, Relu):
        return _relu(graph, x, layer)
    if isinstance(layer, MaxPool):
        return _max_pool(graph, x, layer)
    if isinstance(layer, Residual):
        return _residual(graph, x, layer)
    if isinstance(layer, Flatten):
        x = graph.node("Transpose", [x], "flatten_order", perm=[0, 2, 3, 1])
        return graph.node("Flatten", [x], "flatten", axis=1)
    return _gemm(graph, x, layer.name, "kernel", (layer.inputs, layer.outputs))


def _convolution(graph: Graph, x: str, layer: Convolution) -> str:
    # (h, w, in, out) -> (out, in, h, w); depthwise (h, w, channels, 1) -> (channels, 1, h, w)
    order = (2, 3, 0, 1) if layer.depthwise else (3, 2, 0, 1)
    inputs = [x, graph.weight(f"{layer.name}.kernel", kernel_shape(layer), order)]
    if layer.bias:
        inputs.append(graph.weight(f"{layer.name}.bias", (layer.outputs,)))
    before, after = layer.pad
    return graph.node(
        "Conv",
        inputs,
        layer.name,
        kernel_shape=[layer.kernel, layer.kernel],
        strides=[layer.stride, layer.stride],
        pads=[before, before, after, after],
        group=layer.inputs if layer.depthwise else 1,
    )


def _normalisation(graph: Graph, x: str, layer: Normalisation) -> str:
    parts = ("gamma", "beta", "moving_mean", "moving_variance")
    inputs = [graph.weight(f"{layer.name}.{part}", (layer.channels,)) for part in parts]
    return graph.node("BatchNormalization", [x, *inputs], layer.name, epsilon=layer.epsilon)


def _relu(graph: Graph, x: str, layer: Relu) -> str:
    name = f"{x}_relu"
    if not layer.limit:
        return graph.node("Relu", [x], name)
    limits = [
        graph.constant("relu_least", np.array(0, np.float32)),
        graph.constant(f"relu_most_{layer.limit:g}", np.array(layer.limit, np.float32)),
    ]
    return graph.node("Clip", [x, *limits], name)


def _max_pool(graph: Graph, x: str, layer: MaxPool) -> str:
    before, after = layer.pad
    return graph.node(
        "MaxPool",
        [x],
        f"{x}_pool",
        kernel_shape=[layer.kernel, layer.kernel],
        strides=[layer.stride, layer.stride],
        pads=[before, before, after, after],
    )


def _residual(graph: Graph, x: str, layer: Residual) -> str:
    inner = _sequence(graph, x, layer.branch)
    outer = _sequence(graph, x, layer.shortcut)
    joined = graph.node("Add", [inner, outer], f"{inner}_add")
    return graph.node("Relu", [joined], f"{joined}_relu")


def _conv(graph: Graph, x: str, conv: Conv) -> str:
    """With the BatchNorm behind it, where it has one instead of a bias."""
    shape = (conv.kernel, conv.kernel, conv.inputs, conv.outputs)
    inputs = [x, graph.weight(f"{conv.name}.weight", shape, (3, 2, 0, 1))]
    norm = conv.normalisation
    if norm is None:
        inputs.append(graph.weight(f"{conv.name}.bias", (conv.outputs,)))
    made = graph.node(
        "Conv",
        inputs,
        conv.name,
        kernel_shape=[conv.kernel, conv.kernel],
        strides=[conv.stride, conv.stride],
        pads=[conv.padding] * 4,
    )
    return made if norm is None else _normalisation(graph, made, norm)


def _block(graph: Graph, x: str, block: Block) -> str:
    inner = graph.node("Relu", [_conv(graph, x, block.first)], f"{block.first.name}_relu")
    inner = _conv(graph, inner, block.second)
    outer = _conv(graph, x, block.shortcut[0]) if block.shortcut else x
    joined = graph.node("Add", [inner, outer], f"{inner}_add")
    return graph.node("Relu", [joined], f"{joined}_relu")


def _gemm(graph: Graph, x: str, name: str, kernel: str, shape: Tuple[int, int]) -> str:
    """(in, out) stays as it is: what Gemm multiplies by from the right."""
    weight = graph.weight(f"{name}.{kernel}", shape)
    return graph.node("Gemm", [x, weight, graph.weight(f"{name}.bias", (shape[1],))], name)
