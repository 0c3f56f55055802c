"""Networks as plain data, so that every framework builds the same one from the same weights.

ResNet18 for 32 x 32 pictures as in lad2023, section II-A: a 3 x 3 stem without pooling, no
BatchNorm, 1 x 1 convolution shortcuts, biases everywhere. 11,169,162 parameters, 42.607 MiB
of float32.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

import numpy as np

from runners.failures import Unsupported

Array = Any


class Conv(NamedTuple):
    """A convolution with bias; ``kernel`` is odd and the padding is ``kernel // 2``."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int

    @property
    def padding(self) -> int:
        return self.kernel // 2


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


def resnet18(classes: int) -> ResNet:
    """The network of lad2023 for ``classes`` classes."""
    blocks: List[Block] = []
    inputs = 64
    for stage, outputs in enumerate((64, 128, 256, 512), start=1):
        for index in (1, 2):
            stride = 2 if stage > 1 and index == 1 else 1
            blocks.append(_block(f"stage{stage}_block{index}", inputs, outputs, stride))
            inputs = outputs
    return ResNet(Conv("stem", 3, 64, 3, 1), blocks, inputs, classes)


def _block(name: str, inputs: int, outputs: int, stride: int) -> Block:
    shortcut = [Conv(f"{name}_shortcut", inputs, outputs, 1, stride)] if inputs != outputs else []
    return Block(
        Conv(f"{name}_first", inputs, outputs, 3, stride),
        Conv(f"{name}_second", outputs, outputs, 3, 1),
        shortcut,
    )


def initial_weights(network: ResNet, seed: int) -> Dict[str, Array]:
    """Float32 arrays by name, ``<layer>.weight`` (height, width, in, out) and ``<layer>.bias``.

    Kaiming normal (He 2015, fan in), biases zero, and zero for the last convolution of each
    block, so that a network without BatchNorm starts as a chain of identities.
    """
    generator = np.random.default_rng(seed)
    seconds = {block.second.name for block in network.blocks}
    weights: Dict[str, Array] = {}
    for conv in network.convolutions:
        shape = (conv.kernel, conv.kernel, conv.inputs, conv.outputs)
        drawn = generator.standard_normal(shape, dtype=np.float32)
        scale = 0.0 if conv.name in seconds else (2.0 / (conv.kernel**2 * conv.inputs)) ** 0.5
        weights[f"{conv.name}.weight"] = drawn * np.float32(scale)
        weights[f"{conv.name}.bias"] = np.zeros(conv.outputs, np.float32)
    head = generator.standard_normal((network.features, network.classes), dtype=np.float32)
    weights["head.weight"] = head * np.float32((1.0 / network.features) ** 0.5)
    weights["head.bias"] = np.zeros(network.classes, np.float32)
    return weights


NETWORKS = {"resnet18": resnet18}


def network_of(model: str, classes: int) -> ResNet:
    """The network called ``model``. Raises Unsupported for an unknown one."""
    if model not in NETWORKS:
        raise Unsupported(f"no model {model!r}. Accepted: {', '.join(NETWORKS)}")
    return NETWORKS[model](classes)
