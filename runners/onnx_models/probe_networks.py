"""The smallest ONNX network around a probed feature, with seeded weights, NCHW like every other.

Nodes are those that exporters write: what ONNX has an operator for is that operator, and the rest
(GELU as an error function, self-attention) is spelled out. Opset 17.
"""

from __future__ import annotations

import zlib
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from manifests.features import FEATURES, smaller
from runners.job import Job
from runners.onnx_models.onnx_graph import INPUT, Graph

Array = Any
Model = Any  # onnx.ModelProto

CHANNELS = 32
"""As many as the networks of torch and Keras have."""
_SEQUENCE_HEADS = 2
_STEPS = 2


class Net(Graph):
    """A graph that draws its weights; ``x`` is the last node, ``shape`` its shape without batch."""

    def __init__(self, seed: int, side: int) -> None:
        super().__init__({})
        self._random = np.random.default_rng(seed)
        self._count = 0
        self.side = side
        self.x = INPUT
        self.shape: Tuple[int, ...] = (3, side, side)

    def add(self, operator: str, *more: str, name: str = "", **attributes: Any) -> str:
        """A node on the last one, and ``more`` inputs; it becomes the last one."""
        self._count += 1
        self.x = self.node(
            operator, [self.x, *more], name or f"{operator.lower()}_{self._count}", **attributes
        )
        return self.x

    def drawn(self, *shape: int, fan_in: int = 0) -> str:
        """Weights of that shape whose products keep the size of what they multiply."""
        self._count += 1
        values = self._random.standard_normal(shape) / np.sqrt(fan_in or shape[-1])
        return self.constant(f"weight_{self._count}", values.astype(np.float32))

    def given(self, values: Any, dtype: Any = np.float32) -> str:
        """A constant."""
        self._count += 1
        return self.constant(f"constant_{self._count}", np.asarray(values, dtype))

    def conv(
        self, outputs: int = CHANNELS, kernel: Tuple[int, int] = (3, 3), pad: int = 1,
        group: int = 1, dilation: int = 1,
    ) -> str:  # fmt: skip
        """A convolution of stride 1 on the last node."""
        inputs, height, width = self.shape
        fan_in = inputs // group * kernel[0] * kernel[1]
        self.shape = (
            outputs,
            height + 2 * pad - dilation * (kernel[0] - 1),
            width + 2 * pad - dilation * (kernel[1] - 1),
        )
        return self.add(
            "Conv",
            self.drawn(outputs, inputs // group, *kernel, fan_in=fan_in),
            self.drawn(outputs, fan_in=outputs),
            kernel_shape=list(kernel),
            pads=[pad] * 4,
            group=group,
            dilations=[dilation] * 2,
        )

    def linear(self, outputs: int) -> str:
        """A product with a bias, on the last axis."""
        inputs = self.shape[-1]
        self.add("MatMul", self.drawn(inputs, outputs, fan_in=inputs))
        self.shape = (*self.shape[:-1], outputs)
        return self.add("Add", self.drawn(outputs, fan_in=outputs))

    def reshaped(self, *shape: int) -> str:
        """Without the batch, which stays."""
        self.shape = shape
        return self.add("Reshape", self.given([-1, *shape], np.int64))


def built(job: Job) -> Model:
    """The network of the cell's feature, every time with the same weights."""
    name = job.cell.feature
    classes, side = len(job.data.meta.classes), job.cell.image_size
    net = Net(zlib.crc32(name.encode()) + job.cell.seed, side)
    if FEATURES[name].between == "convolutions":
        _between_convolutions(net, name, classes)
    else:
        _between_products(net, name, classes)
    return net.model(f"probe-{name}", None if name == "dynamic-shape" else side, classes)


def _between_convolutions(net: Net, name: str, classes: int) -> None:
    if name in _BEFORE:
        _BEFORE[name](net)
        net.conv(kernel=(5, 5), pad=2)
    else:
        net.conv(kernel=(5, 5), pad=2)
        _MIDDLES[name](net)
    if name == "dynamic-shape":
        net.conv(classes, (smaller(net.side), smaller(net.side)), 0)
        net.add("GlobalAveragePool")
    else:
        net.conv(classes, (net.shape[1], net.shape[2]), 0)
    net.add("Flatten", axis=1)


def _between_products(net: Net, name: str, classes: int) -> None:
    if name not in _TOKENS:
        net.add("Transpose", perm=[0, 2, 3, 1])
        net.reshaped(net.side, 3 * net.side)
        net.linear(CHANNELS)
    _MIDDLES[name](net)
    net.add("Flatten", axis=1)
    net.shape = (int(np.prod(net.shape)),)
    net.add("Gemm", net.drawn(net.shape[0], classes, fan_in=net.shape[0]), net.drawn(classes))


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


def _recurrent(operator: str, gates: int) -> Callable[[Net], None]:
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
    _pool("MaxPool")(net)
    _batch_norm(net)


def _pool(operator: str) -> Callable[[Net], None]:
    def add(net: Net) -> None:
        net.add(operator, kernel_shape=[2, 2], strides=[2, 2])
        net.shape = (net.shape[0], net.shape[1] // 2, net.shape[2] // 2)

    return add


def _plain(operator: str, **attributes: Any) -> Callable[[Net], None]:
    return lambda net: _nothing(net.add(operator, **attributes))


def _nothing(given: Any) -> None:
    """Nothing: what a lambda answers that is called for what it does."""


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


def _joined(operator: str) -> Callable[[Net], None]:
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


def _resize(mode: str) -> Callable[[Net], None]:
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


def _rescaled(net: Net) -> None:
    net.add("Mul", net.given(1 / 255))


def _normalised(net: Net) -> None:
    net.add("Sub", net.given(np.reshape([124.0, 116.0, 104.0], (1, 3, 1, 1))))
    net.add("Div", net.given(np.reshape([58.0, 57.0, 57.5], (1, 3, 1, 1))))


def _convolution(**options: Any) -> Callable[[Net], None]:
    return lambda net: _nothing(net.conv(**options))


_TOKENS = ("embedding", "embedding-bag")
_BEFORE: Dict[str, Callable[[Net], None]] = {
    "rescaling": _rescaled,
    "normalisation": _normalised,
}
_MIDDLES: Dict[str, Callable[[Net], None]] = {
    "conv2d": _convolution(),
    "pointwise": _convolution(kernel=(1, 1), pad=0),
    "depthwise": _convolution(group=CHANNELS),
    "grouped": _convolution(group=4),
    "dilated": _convolution(dilation=2, pad=2),
    "transposed": _transposed,
    "conv1d": _conv1d,
    "conv3d": _conv3d,
    "linear": lambda net: _nothing(net.linear(CHANNELS)),
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
    "relu": _plain("Relu"),
    "relu6": _relu6,
    "leaky-relu": _plain("LeakyRelu", alpha=0.1),
    "prelu": _prelu,
    "elu": _plain("Elu"),
    "gelu": _gelu,
    "silu": _silu,
    "hard-swish": _plain("HardSwish"),
    "sigmoid": _plain("Sigmoid"),
    "tanh": _plain("Tanh"),
    "softmax": _plain("Softmax", axis=1),
    "residual-add": _joined("Add"),
    "concatenation": _joined("Concat"),
    "multiplication": _joined("Mul"),
    "reshape": _reshape,
    "transpose": _plain("Transpose", perm=[0, 1, 3, 2]),
    "slice": _slice,
    "padding": _padding,
    "mean": _mean,
    "upsampling-nearest": _resize("nearest"),
    "upsampling-bilinear": _resize("linear"),
    "max-pool": _pool("MaxPool"),
    "average-pool": _pool("AveragePool"),
    "global-average-pool": _global_pool,
    "nested": _nested,
    "subclassed": _branching,
    "shared-layer": _shared,
    "dynamic-shape": _convolution(),
    "batch-1": _convolution(),
    "batch-32": _convolution(),
}
