"""The shared networks as torch modules, plain and with stubs for eager quantization."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np
import torch
from torch import nn
from torch.ao.nn.quantized import FloatFunctional
from torch.ao.quantization import DeQuantStub, QuantStub

from runners.models.resnet18 import Block, Conv, ResNet


class ResidualBlock(nn.Module):
    """relu(second(relu(first(x))) + shortcut(x))."""

    def __init__(self, block: Block) -> None:
        super().__init__()
        self.first = convolution(block.first)
        self.first_relu = nn.ReLU()
        self.second = convolution(block.second)
        self.shortcut = convolution(block.shortcut[0]) if block.shortcut else nn.Identity()
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.second(self.first_relu(self.first(x)))
        return self.join(inner, self.shortcut(x))

    def join(self, inner: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
        joined: torch.Tensor = self.relu(inner + outer)
        return joined


class StubbedBlock(ResidualBlock):
    """The same, with the addition as a module that eager quantization can replace."""

    def __init__(self, block: Block) -> None:
        super().__init__(block)
        self.functional = FloatFunctional()

    def join(self, inner: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
        return self.functional.add_relu(inner, outer)


class ResNetModule(nn.Module):
    """float32 (n, 3, h, w) -> logits (n, classes)."""

    block_type = ResidualBlock

    def __init__(self, network: ResNet) -> None:
        super().__init__()
        self.stem = convolution(network.stem)
        self.stem_relu = nn.ReLU()
        self.blocks = nn.Sequential(*(self.block_type(block) for block in network.blocks))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(network.features, network.classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.stem_relu(self.stem(x)))
        logits: torch.Tensor = self.head(torch.flatten(self.pool(x), 1))
        return logits


class StubbedResNetModule(ResNetModule):
    """The same network made ready for eager quantization: stubs around, modules inside."""

    block_type = StubbedBlock
    float_layers: Tuple[str, ...] = ()
    """Names of the modules that stay as they are."""

    def __init__(self, network: ResNet) -> None:
        super().__init__(network)
        self.quantize = QuantStub()
        self.dequantize = DeQuantStub()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.dequantize(super().forward(self.quantize(x)))
        return logits

    def fusible(self) -> List[List[str]]:
        """The pairs of module names that become one."""
        inner = [[f"blocks.{i}.first", f"blocks.{i}.first_relu"] for i in range(len(self.blocks))]
        return [["stem", "stem_relu"], *inner]


class FloatEndsResNetModule(StubbedResNetModule):
    """The same with the first and the last layer outside of the stubs, in float32."""

    float_layers = ("stem", "stem_relu", "head")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.blocks(self.quantize(self.stem_relu(self.stem(x))))
        x = self.dequantize(self.pool(x))
        logits: torch.Tensor = self.head(torch.flatten(x, 1))
        return logits

    def fusible(self) -> List[List[str]]:
        return super().fusible()[1:]


def convolution(conv: Conv) -> nn.Conv2d:
    return nn.Conv2d(conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.padding)


def _layers(model: ResNetModule, network: ResNet) -> Dict[str, Any]:
    """The modules that have weights, by the names of runners.models.resnet18."""
    found: Dict[str, Any] = {network.stem.name: model.stem, "head": model.head}
    for block, module in zip(network.blocks, model.blocks):
        found[block.first.name] = module.first
        found[block.second.name] = module.second
        for shortcut in block.shortcut:
            found[shortcut.name] = module.shortcut
    return found


def load_arrays(model: ResNetModule, network: ResNet, weights: Dict[str, Any]) -> None:
    """Copy arrays named as in runners.models.resnet18 into ``model``."""
    with torch.no_grad():
        for name, module in _layers(model, network).items():
            weight = weights[f"{name}.weight"]
            order = (3, 2, 0, 1) if weight.ndim == 4 else (1, 0)
            module.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight.transpose(order))))
            module.bias.copy_(torch.from_numpy(weights[f"{name}.bias"]))


def arrays_of(model: ResNetModule, network: ResNet) -> Dict[str, Any]:
    """The weights of ``model``, named and laid out as in runners.models.resnet18."""
    arrays: Dict[str, Any] = {}
    for name, module in _layers(model, network).items():
        weight = module.weight.detach().float().cpu().numpy()
        arrays[f"{name}.weight"] = weight.transpose((2, 3, 1, 0) if weight.ndim == 4 else (1, 0))
        arrays[f"{name}.bias"] = module.bias.detach().float().cpu().numpy()
    return arrays
