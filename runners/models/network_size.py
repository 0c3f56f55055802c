"""How large a network is, computed from its structure: parameters, multiply-adds, bytes moved.

Counted are convolutions and products, as papers count them (Howard 2017, table 8: MobileNet_v1 at
224 x 224 has 4.2 million parameters and 569 million multiply-adds). What normalises adds its two
trained numbers a channel to the parameters and nothing to the multiply-adds: runtimes fold it away.
"""

from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from runners.models.keras_applications import APPLICATIONS, application
from runners.models.network_layers import Convolution, Dense, MaxPool, Normalisation, Residual
from runners.models.resnet18 import NETWORKS, Conv, ResNet, network_of

FLOAT32_BYTES = 4


class Operation(NamedTuple):
    """A convolution or a product; numbers read and written are those of one image."""

    name: str
    weights: int
    biases: int
    multiply_adds: int
    read: int
    written: int
    depthwise: bool = False


class NetworkSize(NamedTuple):
    """``operations`` in the order of the network; ``normalising`` numbers are trained too."""

    operations: List[Operation]
    normalising: int

    @property
    def parameters(self) -> int:
        """Trained numbers."""
        return self.normalising + sum(one.weights + one.biases for one in self.operations)

    @property
    def multiply_adds(self) -> int:
        """Of one image."""
        return sum(one.multiply_adds for one in self.operations)

    @property
    def depthwise_layers(self) -> float:
        """The share of depthwise convolutions among the operations, by count."""
        return sum(one.depthwise for one in self.operations) / len(self.operations)

    @property
    def depthwise_multiply_adds(self) -> float:
        """The same by multiply-adds."""
        inside = sum(one.multiply_adds for one in self.operations if one.depthwise)
        return inside / self.multiply_adds

    def bytes_moved(self, batch: int) -> int:
        """Of a float32 call on a batch, where each operation reads its weights and its input once
        and writes its output once.
        """
        weights = sum(one.weights + one.biases for one in self.operations)
        images = sum(one.read + one.written for one in self.operations)
        return FLOAT32_BYTES * (weights + batch * images)


def network_size(model: str, classes: int, image_size: int) -> Optional[NetworkSize]:
    """Of a network of runners.models; None for another, such as a person's own file."""
    if model in APPLICATIONS:
        return size_of_layers(application(model, classes, image_size).layers, image_size)
    if model in NETWORKS:
        return _size_of_resnet(network_of(model, classes), image_size)
    return None


def size_of_layers(layers: Sequence[Any], image_size: int) -> NetworkSize:
    """Of layers as runners.models.network_layers describes them, for square images."""
    found = list(_walk(layers, image_size)[0])
    scales = [2 * layer.channels for layer in _normalisations(layers)]
    return NetworkSize(found, sum(scales))


def _walk(layers: Sequence[Any], size: int) -> Tuple[List[Operation], int]:
    """The operations, and height (= width) of what comes out."""
    found: List[Operation] = []
    for layer in layers:
        if isinstance(layer, Residual):
            inner, after = _walk(layer.branch, size)
            found += [*inner, *_walk(layer.shortcut, size)[0]]
            size = after
        elif isinstance(layer, Convolution):
            after = _after(size, layer.kernel, layer.stride, sum(layer.pad))
            found.append(_convolution(layer, size, after))
            size = after
        elif isinstance(layer, MaxPool):
            size = _after(size, layer.kernel, layer.stride, sum(layer.pad))
        elif isinstance(layer, Dense):
            found.append(_product(layer.name, layer.inputs, layer.outputs))
    return found, size


def _normalisations(layers: Sequence[Any]) -> Iterator[Normalisation]:
    for layer in layers:
        if isinstance(layer, Residual):
            yield from _normalisations([*layer.branch, *layer.shortcut])
        elif isinstance(layer, Normalisation):
            yield layer


def _after(size: int, kernel: int, stride: int, padding: int) -> int:
    return (size + padding - kernel) // stride + 1


def _convolution(layer: Convolution, before: int, after: int) -> Operation:
    filters = 1 if layer.depthwise else layer.inputs
    weights = layer.kernel**2 * filters * layer.outputs
    return Operation(
        layer.name, weights, layer.outputs if layer.bias else 0, weights * after**2,
        layer.inputs * before**2, layer.outputs * after**2, layer.depthwise,
    )  # fmt: skip


def _product(name: str, inputs: int, outputs: int) -> Operation:
    return Operation(name, inputs * outputs, outputs, inputs * outputs, inputs, outputs)


def _size_of_resnet(network: ResNet, size: int) -> NetworkSize:
    found = [_conv(network.stem, size)]
    for block in network.blocks:
        found += [_conv(conv, size) for conv in (block.first, *block.shortcut)]
        size = _after(size, block.first.kernel, block.first.stride, 2 * block.first.padding)
        found.append(_conv(block.second, size))
    found.append(_product("head", network.features, network.classes))
    scales = [2 * norm.channels for norm in network.normalisations]
    return NetworkSize(found, sum(scales))


def _conv(conv: Conv, size: int) -> Operation:
    pad = (conv.padding, conv.padding)
    after = _after(size, conv.kernel, conv.stride, sum(pad))
    layer = Convolution(
        conv.name, conv.inputs, conv.outputs, conv.kernel, conv.stride, pad, not conv.normalised
    )
    return _convolution(layer, size, after)
