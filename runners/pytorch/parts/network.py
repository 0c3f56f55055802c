"""The shared networks as torch modules, plain and with stubs for eager quantization."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import nn
from torch.ao.nn.quantized import FloatFunctional
from torch.ao.quantization import DeQuantStub, QuantStub

from runners.models.resnet18 import Block, Conv, ResNet

_CONVOLUTION, _NORMALISATION = "convolution", "normalisation"
_TO_TORCH = {4: (3, 2, 0, 1), 2: (1, 0)}
_FROM_TORCH = {4: (2, 3, 1, 0), 2: (1, 0)}
"""Orders of a weight's axes, by how many it has."""


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
        """The names of modules that become one: a convolution, its BatchNorm, its ReLU."""
        found = [[*_names("stem", self.stem), "stem_relu"]]
        for place, block in enumerate(self.blocks):
            within = f"blocks.{place}"
            found.append([*_names(f"{within}.first", block.first), f"{within}.first_relu"])
            found.append(_names(f"{within}.second", block.second))
            found.append(_names(f"{within}.shortcut", block.shortcut))
        return [names for names in found if len(names) > 1]


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


def convolution(conv: Conv) -> nn.Module:
    """The convolution, or a sequence of it and its BatchNorm."""
    norm = conv.normalisation
    alone = nn.Conv2d(
        conv.inputs, conv.outputs, conv.kernel, conv.stride, conv.padding, bias=norm is None
    )
    if norm is None:
        return alone
    behind = nn.BatchNorm2d(norm.channels, norm.epsilon, 1 - norm.momentum)
    return nn.Sequential(OrderedDict([(_CONVOLUTION, alone), (_NORMALISATION, behind)]))


def _names(name: str, module: nn.Module) -> List[str]:
    """What of a convolution can be fused, by full names."""
    if isinstance(module, nn.Sequential):
        return [f"{name}.{_CONVOLUTION}", f"{name}.{_NORMALISATION}"]
    return [name]


def _layers(model: ResNetModule, network: ResNet) -> Iterator[Tuple[str, nn.Module]]:
    """The modules that have weights, by the names of runners.models.resnet18."""
    yield from _of_convolution(network.stem, model.stem)
    for block, module in zip(network.blocks, model.blocks):
        yield from _of_convolution(block.first, module.first)
        yield from _of_convolution(block.second, module.second)
        for shortcut in block.shortcut:
            yield from _of_convolution(shortcut, module.shortcut)
    yield "head", model.head


def _of_convolution(conv: Conv, module: Any) -> Iterator[Tuple[str, nn.Module]]:
    norm = conv.normalisation
    if norm is None:
        yield conv.name, module
    else:
        yield conv.name, getattr(module, _CONVOLUTION)
        yield norm.name, getattr(module, _NORMALISATION)


def _tensors(module: nn.Module) -> Dict[str, torch.Tensor]:
    """A layer's tensors by the names of runners.models.resnet18."""
    inside: Any = module
    if isinstance(module, nn.BatchNorm2d):
        return {
            "gamma": inside.weight, "beta": inside.bias,
            "moving_mean": inside.running_mean, "moving_variance": inside.running_var,
        }  # fmt: skip
    found = {"weight": inside.weight, "bias": inside.bias}
    return {part: tensor for part, tensor in found.items() if tensor is not None}


def load_arrays(model: ResNetModule, network: ResNet, weights: Dict[str, Any]) -> None:
    """Copy arrays named as in runners.models.resnet18 into ``model``."""
    with torch.no_grad():
        for name, module in _layers(model, network):
            for part, tensor in _tensors(module).items():
                array = weights[f"{name}.{part}"]
                ordered = array.transpose(_TO_TORCH.get(array.ndim, (0,)))
                tensor.copy_(torch.from_numpy(np.ascontiguousarray(ordered)))


def arrays_of(model: ResNetModule, network: ResNet) -> Dict[str, Any]:
    """The weights of ``model``, named and laid out as in runners.models.resnet18."""
    arrays: Dict[str, Any] = {}
    for name, module in _layers(model, network):
        for part, tensor in _tensors(module).items():
            array = tensor.detach().float().cpu().numpy()
            arrays[f"{name}.{part}"] = array.transpose(_FROM_TORCH.get(array.ndim, (0,)))
    return arrays
