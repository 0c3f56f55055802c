"""Probed features that have weights, between two convolutions or products.

Nodes are those that exporters write: what ONNX has an operator for is that operator, and the rest
(self-attention) is spelled out. Opset 17.
"""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from runners.onnx_models.probe_graph import CHANNELS, Net, Part, nothing
from runners.onnx_models.probe_operations import pool

_SEQUENCE_HEADS = 2
_STEPS = 2


def _transposed(net: Net) -> None:
    weight = net.drawn(CHANNELS, CHANNELS, 2, 2, fan_in=CHANNELS)
    net.add("ConvTranspose", weight, kernel_shape=[2, 2], strides=[2, 2])
    net.shape = (CHANNELS, 2 * net.side, 2 * net.side)


def _conv1d(net: Net) -> None:
    net.add("Transpose", perm=[0, 2, 1])
    weight = net.drawn(CHANNELS, CHANNELS, 3, fan_in=3 * CHANNELS)
    net.add("Conv", weight, kernel_shape=[3], pads=[1, 1])
    net.add("Transpose", perm=[0, 2, 1])


def _conv3d(net: Net) -> None:
    side = net.side
    net.reshaped(1, CHANNELS, side, side)
    net.add("Conv", net.drawn(2, 1, 3, 3, 3, fan_in=27), kernel_shape=[3] * 3, pads=[1] * 6)
    net.reshaped(2 * CHANNELS, side, side)


def _squared(net: Net) -> None:
    x = net.x
    turned = net.add("Transpose", perm=[0, 2, 1])
    net.x = x
    net.add("MatMul", turned)
    net.shape = (net.side, net.side)


def _tokens(net: Net) -> None:
    """The first channel as integers."""
    ends = [net.given([value], np.int64) for value in (0, 1, 1)]
    net.add("Slice", *ends)
    net.add("Squeeze", net.given([1], np.int64))
    net.add("Cast", to=7)  # int64


def _looked_up(net: Net, size: int) -> None:
    _tokens(net)
    indices = net.x
    net.x = net.drawn(256, size, fan_in=1)
    net.add("Gather", indices, axis=0)
    net.shape = (net.side, net.side, size)


def _bags(net: Net) -> None:
    _looked_up(net, CHANNELS)
    net.add("ReduceMean", axes=[2], keepdims=0)
    net.shape = (net.side, CHANNELS)


def _recurrent(operator: str, gates: int) -> Part:
    def add(net: Net) -> None:
        net.add("Transpose", perm=[1, 0, 2])
        weights = [net.drawn(1, gates * CHANNELS, CHANNELS) for _ in range(_STEPS)]
        bias = net.drawn(1, 2 * gates * CHANNELS, fan_in=CHANNELS)
        net.add(operator, *weights, bias, hidden_size=CHANNELS)  # (steps, 1, batch, hidden)
        net.add("Squeeze", net.given([1], np.int64))
        net.add("Transpose", perm=[1, 0, 2])

    return add


def _heads(net: Net, x: str, perm: List[int]) -> str:
    net.x = x
    size = CHANNELS // _SEQUENCE_HEADS
    net.add("Reshape", net.given([-1, net.side, _SEQUENCE_HEADS, size], np.int64))
    return net.add("Transpose", perm=perm)


def _self_attention(net: Net) -> None:
    x, size = net.x, CHANNELS // _SEQUENCE_HEADS
    parts = []
    for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]):
        net.x = x
        parts.append(_heads(net, net.linear(CHANNELS), perm))
    query, key, value = parts
    _attended(net, query, key, value, size)
    net.add("Transpose", perm=[0, 2, 1, 3])
    net.reshaped(net.side, CHANNELS)
    net.linear(CHANNELS)


def _attended(net: Net, query: str, key: str, value: str, size: int) -> None:
    net.x = query
    net.add("MatMul", key)
    net.add("Mul", net.given(size**-0.5))
    net.add("Softmax", axis=-1)
    net.add("MatMul", value)


def _dot_product(net: Net) -> None:
    x = net.x
    turned = net.add("Transpose", perm=[0, 2, 1])
    _attended(net, x, turned, x, CHANNELS)


def _layer_norm(net: Net) -> None:
    ones, zeros = net.given(np.ones(CHANNELS)), net.given(np.zeros(CHANNELS))
    net.add("LayerNormalization", ones, zeros, axis=-1)


def _group_norm(net: Net) -> None:
    """As exporters write it: an instance normalization of groups, then scale and shift."""
    side = net.side
    net.add("Reshape", net.given([0, 4, -1], np.int64))
    net.add("InstanceNormalization", net.given(np.ones(4)), net.given(np.zeros(4)))
    net.reshaped(CHANNELS, side, side)
    net.add("Mul", net.given(np.linspace(0.8, 1.2, CHANNELS).reshape(CHANNELS, 1, 1)))
    net.add("Add", net.given(np.linspace(-0.1, 0.1, CHANNELS).reshape(CHANNELS, 1, 1)))


def _instance_norm(net: Net) -> None:
    ones, zeros = net.given(np.ones(CHANNELS)), net.given(np.zeros(CHANNELS))
    net.add("InstanceNormalization", ones, zeros)


def _batch_norm(net: Net) -> None:
    scale = net.given(np.linspace(0.8, 1.2, CHANNELS))
    middle = net.given(np.linspace(-0.1, 0.1, CHANNELS))
    variance = net.given(np.linspace(0.8, 1.2, CHANNELS))
    net.add("BatchNormalization", scale, middle, middle, variance, epsilon=1e-5)


def _after_pool(net: Net) -> None:
    pool("MaxPool")(net)
    _batch_norm(net)


def _nested(net: Net) -> None:
    """ONNX has no models in models: what exporters leave of one is its nodes."""
    net.conv()
    net.add("Relu")
    net.conv()


def _branching(net: Net) -> None:
    """As exporters leave a branch that depends on nothing but shapes: the part that was taken."""
    net.conv()


def _shared(net: Net) -> None:
    weight = net.drawn(CHANNELS, CHANNELS, 3, 3, fan_in=9 * CHANNELS)
    for _ in range(_STEPS):
        net.add("Conv", weight, kernel_shape=[3, 3], pads=[1] * 4)


def _convolution(**options: Any) -> Part:
    return lambda net: nothing(net.conv(**options))


LAYERS: Dict[str, Part] = {
    "conv2d": _convolution(),
    "pointwise": _convolution(kernel=(1, 1), pad=0),
    "depthwise": _convolution(group=CHANNELS),
    "grouped": _convolution(group=4),
    "dilated": _convolution(dilation=2, pad=2),
    "transposed": _transposed,
    "conv1d": _conv1d,
    "conv3d": _conv3d,
    "linear": lambda net: nothing(net.linear(CHANNELS)),
    "matmul": _squared,
    "embedding": lambda net: _looked_up(net, 8),
    "embedding-bag": _bags,
    "lstm": _recurrent("LSTM", 4),
    "gru": _recurrent("GRU", 3),
    "multi-head-attention": _self_attention,
    "scaled-dot-product": _dot_product,
    "layer-norm": _layer_norm,
    "group-norm": _group_norm,
    "instance-norm": _instance_norm,
    "batch-norm-fused": _batch_norm,
    "batch-norm": _after_pool,
    "nested": _nested,
    "subclassed": _branching,
    "shared-layer": _shared,
    "dynamic-shape": _convolution(),
    "batch-1": _convolution(),
    "batch-32": _convolution(),
}
