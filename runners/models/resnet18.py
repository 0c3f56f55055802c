"""Networks as plain data, so that every framework builds the same one from the same weights.

ResNet18 for 32 x 32 pictures as in lad2023, section II-A: a 3 x 3 stem without pooling, no
BatchNorm, 1 x 1 convolution shortcuts, biases everywhere. 11,169,162 parameters, 42.607 MiB
of float32. ``resnet18-bn`` is the same with the BatchNorm that the paper took out of it: one behind
every convolution, whose bias it replaces (He 2016, section 3.4). 11,173,962 parameters.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from runners.failures import Unsupported
from runners.models.network_layers import Normalisation

Array = Any

EPSILON, MOMENTUM = 1e-5, 0.9
"""PyTorch's own for BatchNorm, whose momentum counts from the other side. Keras' 0.99 would keep a
fifth of the first moving averages through tier quick's 160 steps.
"""
PARTS = ("weight", "bias", "gamma", "beta", "moving_mean", "moving_variance")
"""What a layer's arrays can be called, in the order in which Keras keeps them."""


class Conv(NamedTuple):
    """A convolution with bias, or ``normalised``: with BatchNorm behind it and without bias.

    ``kernel`` is odd and the padding is ``kernel // 2``.
    """

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int
    normalised: bool = False

    @property
    def padding(self) -> int:
        return self.kernel // 2

    @property
    def normalisation(self) -> Optional[Normalisation]:
        """What lies behind it, if anything does."""
        if not self.normalised:
            return None
        return Normalisation(f"{self.name}_norm", self.outputs, EPSILON, MOMENTUM)


class Block(NamedTuple):
    """relu(second(relu(first(x))) + shortcut(x)); an empty ``shortcut`` is the identity."""

    first: Conv
    second: Conv
    shortcut: List[Conv]


class ResNet(NamedTuple):
    """Stem, blocks, global average, one linear layer of ``classes`` outputs."""

    stem: Conv
    blocks: List[Block]
    features: int
    classes: int

    @property
    def convolutions(self) -> List[Conv]:
        inner = [
            conv for block in self.blocks for conv in (block.first, block.second, *block.shortcut)
        ]
        return [self.stem, *inner]

    @property
    def normalisations(self) -> List[Normalisation]:
        """One for each convolution, or none at all."""
        behind = [conv.normalisation for conv in self.convolutions]
        return [one for one in behind if one is not None]


def resnet18(classes: int, normalised: bool = False) -> ResNet:
    """The network of lad2023 for ``classes`` classes, without or with BatchNorm."""
    blocks: List[Block] = []
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512), start=1):
        for index in (1, 2):
            stride = 2 if stage > 1 and index == 1 else 1
            name = f"stage{stage}_block{index}"
            blocks.append(_block(name, inputs, outputs, stride, normalised))
            inputs = outputs
    return ResNet(Conv("stem", 3, 64, 3, 1, normalised), blocks, inputs, classes)


def _block(name: str, inputs: int, outputs: int, stride: int, normalised: bool) -> Block:
    shortcut = Conv(f"{name}_shortcut", inputs, outputs, 1, stride, normalised)
    return Block(
        Conv(f"{name}_first", inputs, outputs, 3, stride, normalised),
        Conv(f"{name}_second", outputs, outputs, 3, 1, normalised),
        [shortcut] if inputs != outputs else [],
    )


def resnet18_bn(classes: int) -> ResNet:
    """The same with BatchNorm."""
    return resnet18(classes, normalised=True)


def initial_weights(network: ResNet, seed: int) -> Dict[str, Array]:
    """Float32 arrays by name, ``<layer>.weight`` (height, width, in, out) and ``<layer>.bias``;
    of BatchNorm ``gamma``, ``beta``, ``moving_mean`` and ``moving_variance``, each (channels,).

    Kaiming normal (He 2015, fan in), biases zero, and zero for the last convolution of each
    block, so that a network without BatchNorm starts as a chain of identities. With BatchNorm the
    same numbers are drawn, none is zero, and it begins at mean 0, variance 1, scale 1, shift 0.
    """
    generator = np.random.default_rng(seed)
    seconds = {block.second.name for block in network.blocks if not block.second.normalised}
    weights: Dict[str, Array] = {}
    for conv in network.convolutions:
        shape = (conv.kernel, conv.kernel, conv.inputs, conv.outputs)
        drawn = generator.standard_normal(shape, dtype=np.float32)
        scale = 0.0 if conv.name in seconds else (2.0 / (conv.kernel**2 * conv.inputs)) ** 0.5
        weights[f"{conv.name}.weight"] = drawn * np.float32(scale)
        weights.update(_beginnings(conv))
    head = generator.standard_normal((network.features, network.classes), dtype=np.float32)
    weights["head.weight"] = head * np.float32((1.0 / network.features) ** 0.5)
    weights["head.bias"] = np.zeros(network.classes, np.float32)
    return weights


def _beginnings(conv: Conv) -> Dict[str, Array]:
    """What isn't drawn: the bias, or the normalisation behind it."""
    zeros, ones = np.zeros(conv.outputs, np.float32), np.ones(conv.outputs, np.float32)
    norm = conv.normalisation
    if norm is None:
        return {f"{conv.name}.bias": zeros}
    values = {"gamma": ones, "beta": zeros, "moving_mean": zeros, "moving_variance": ones}
    return {f"{norm.name}.{part}": value.copy() for part, value in values.items()}


NETWORKS = {"resnet18": resnet18, "resnet18-bn": resnet18_bn}


def network_of(model: str, classes: int) -> ResNet:
    """The network called ``model``. Raises Unsupported for an unknown one."""
    if model not in NETWORKS:
        raise Unsupported(f"no model {model!r}. Accepted: {', '.join(NETWORKS)}")
    return NETWORKS[model](classes)
