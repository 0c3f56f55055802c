"""Probed features without weights of a layer: activations, sums, shapes, pooling, preprocessing.

Nodes are those that exporters write: what ONNX has no operator for (GELU before opset 20) is
spelled out. Opset 17.
"""

from __future__ import annotations

from typing import Dict

import numpy as np

from runners.onnx_models.probe_graph import CHANNELS, Net, Part, plain


def pool(operator: str) -> Part:
    def add(net: Net) -> None:
        net.add(operator, kernel_shape=[2, 2], strides=[2, 2])
        net.shape = (net.shape[0], net.shape[1] // 2, net.shape[2] // 2)

    return add


def _relu6(net: Net) -> None:
    net.add("Clip", net.given(0.0), net.given(6.0))


def _prelu(net: Net) -> None:
    net.add("PRelu", net.given(np.full((CHANNELS, 1, 1), 0.25)))


def _gelu(net: Net) -> None:
    """x / 2 (1 + erf(x / √2)): ONNX has no operator for it before opset 20."""
    x = net.x
    net.add("Div", net.given(np.sqrt(2.0)))
    net.add("Erf")
    net.add("Add", net.given(1.0))
    grown = net.x
    net.x = x
    net.add("Mul", grown)
    net.add("Mul", net.given(0.5))


def _silu(net: Net) -> None:
    x = net.x
    net.add("Sigmoid")
    net.add("Mul", x)


def _joined(operator: str) -> Part:
    def add(net: Net) -> None:
        x, shape = net.x, net.shape
        left = net.conv()
        net.x, net.shape = x, shape
        right = x if operator == "Add" else net.conv()
        net.x = left
        if operator == "Concat":
            net.add(operator, right, axis=1)
            net.shape = (2 * CHANNELS, *shape[1:])
        else:
            net.add(operator, right)

    return add


def _reshape(net: Net) -> None:
    net.reshaped(2 * CHANNELS, net.side, net.side // 2)


def _slice(net: Net) -> None:
    ends = [net.given([value], np.int64) for value in (0, CHANNELS // 2, 1)]
    net.add("Slice", *ends)
    net.shape = (CHANNELS // 2, *net.shape[1:])


def _padding(net: Net) -> None:
    net.add("Pad", net.given([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    net.shape = (CHANNELS, net.side + 2, net.side + 2)


def _mean(net: Net) -> None:
    net.add("ReduceMean", axes=[2], keepdims=1)
    net.shape = (CHANNELS, 1, net.side)


def _resize(mode: str) -> Part:
    place = "asymmetric" if mode == "nearest" else "half_pixel"
    extra = {"nearest_mode": "floor"} if mode == "nearest" else {}

    def add(net: Net) -> None:
        scales = net.given([1.0, 1.0, 2.0, 2.0])
        net.add("Resize", "", scales, mode=mode, coordinate_transformation_mode=place, **extra)
        net.shape = (CHANNELS, 2 * net.side, 2 * net.side)

    return add


def _global_pool(net: Net) -> None:
    net.add("GlobalAveragePool")
    net.shape = (CHANNELS, 1, 1)


def _rescaled(net: Net) -> None:
    net.add("Mul", net.given(1 / 255))


def _normalised(net: Net) -> None:
    net.add("Sub", net.given(np.reshape([124.0, 116.0, 104.0], (1, 3, 1, 1))))
    net.add("Div", net.given(np.reshape([58.0, 57.0, 57.5], (1, 3, 1, 1))))


BEFORE: Dict[str, Part] = {
    "rescaling": _rescaled,
    "normalisation": _normalised,
}
"""What pictures go through before the first convolution."""
OPERATIONS: Dict[str, Part] = {
    "relu": plain("Relu"),
    "relu6": _relu6,
    "leaky-relu": plain("LeakyRelu", alpha=0.1),
    "prelu": _prelu,
    "elu": plain("Elu"),
    "gelu": _gelu,
    "silu": _silu,
    "hard-swish": plain("HardSwish"),
    "sigmoid": plain("Sigmoid"),
    "tanh": plain("Tanh"),
    "softmax": plain("Softmax", axis=1),
    "residual-add": _joined("Add"),
    "concatenation": _joined("Concat"),
    "multiplication": _joined("Mul"),
    "reshape": _reshape,
    "transpose": plain("Transpose", perm=[0, 1, 3, 2]),
    "slice": _slice,
    "padding": _padding,
    "mean": _mean,
    "upsampling-nearest": _resize("nearest"),
    "upsampling-bilinear": _resize("linear"),
    "max-pool": pool("MaxPool"),
    "average-pool": pool("AveragePool"),
    "global-average-pool": _global_pool,
}
