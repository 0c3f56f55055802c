"""The networks of runners.models.keras_applications as torch modules."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np
import torch
from torch import nn

from runners.models import keras_applications
from runners.models.keras_applications import (
    Application,
    Convolution,
    Flatten,
    Layer,
    MaxPool,
    Normalisation,
    Preprocessing,
    Relu,
    Residual,
)

_TORCH_NAMES = {
    "kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias",
    "moving_mean": "running_mean", "moving_variance": "running_var",
}  # fmt: skip


_COMPUTING, _NORMALISING = tuple(_TORCH_NAMES)[:2], tuple(_TORCH_NAMES)[2:]


class ApplicationModule(nn.Module):
    """float32 RGB pixels 0 ... 255, (n, 3, size, size) -> logits (n, classes)."""

    def __init__(self, network: Application) -> None:
        super().__init__()
        self.preprocess = PreprocessInput(network.preprocessing)
        self.layers = _sequential(network.layers)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(self.preprocess(x))
        return logits


class PreprocessInput(nn.Module):
    """keras.applications' preprocess_input, as part of the model."""

    mean: torch.Tensor

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.scale = preprocessing.scale
        self.reverse = preprocessing.reverse
        mean = torch.tensor(preprocessing.mean).reshape(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.reverse:
            x = torch.flip(x, (1,))
        return (x - self.mean) / self.scale


class ResidualBlock(nn.Module):
    """relu(branch(x) + shortcut(x))."""

    def __init__(self, block: Residual) -> None:
        super().__init__()
        self.branch = _sequential(block.branch)
        self.shortcut = _sequential(block.shortcut)
        self.relu = nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        joined: torch.Tensor = self.relu(self.branch(x) + self.shortcut(x))
        return joined


class FlattenAsKeras(nn.Module):
    """(n, c, h, w) -> (n, h * w * c), so that the dense kernel is the one Keras has."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def _sequential(layers: List[Any]) -> nn.Sequential:
    modules: OrderedDict[str, nn.Module] = OrderedDict()
    for index, layer in enumerate(layers):
        for suffix, module in _modules(layer):
            modules[getattr(layer, "name", "") + suffix or f"layer{index}"] = module
    return nn.Sequential(modules)


def _modules(layer: Layer) -> List[Any]:
    if isinstance(layer, Convolution):
        return _convolution(layer)
    if isinstance(layer, Normalisation):
        # torch's momentum is the share of the new value.
        return [("", nn.BatchNorm2d(layer.channels, layer.epsilon, 1 - layer.momentum))]
    if isinstance(layer, Relu):
        return [("", nn.ReLU6() if layer.limit == 6.0 else nn.ReLU())]
    if isinstance(layer, MaxPool):
        return [("", nn.MaxPool2d(layer.kernel, layer.stride, layer.pad[0]))]
    if isinstance(layer, Residual):
        return [("", ResidualBlock(layer))]
    if isinstance(layer, Flatten):
        return [("", FlattenAsKeras())]
    return [("", nn.Linear(layer.inputs, layer.outputs))]


def _convolution(layer: Convolution) -> List[Any]:
    before, after = layer.pad
    same = before == after
    convolution = nn.Conv2d(
        layer.inputs,
        layer.outputs,
        layer.kernel,
        layer.stride,
        before if same else 0,
        groups=layer.inputs if layer.depthwise else 1,
        bias=layer.bias,
    )
    pads = [] if same else [("_pad", nn.ZeroPad2d((before, after, before, after)))]
    return [*pads, ("", convolution)]


def _tensors(model: nn.Module, network: Application) -> Iterator[Tuple[str, Any, torch.Tensor]]:
    """Name as in runners.models.keras_applications, layer, and the model's tensor."""
    modules = {name.rpartition(".")[2]: module for name, module in model.named_modules()}
    for layer in keras_applications.named_layers(network.layers):
        normalises = isinstance(layer, Normalisation)
        for ours in _NORMALISING if normalises else _COMPUTING:
            tensor = getattr(modules[layer.name], _TORCH_NAMES[ours])
            if tensor is not None:
                yield f"{layer.name}.{ours}", layer, tensor


def load_arrays(model: nn.Module, network: Application, arrays: Dict[str, Any]) -> None:
    """Copy arrays named and laid out as in runners.models.keras_applications into ``model``."""
    with torch.no_grad():
        for name, layer, tensor in _tensors(model, network):
            tensor.copy_(torch.from_numpy(_as_torch(arrays[name], layer)))


def arrays_of(model: nn.Module, network: Application) -> Dict[str, Any]:
    """The weights of ``model``, named and laid out as in runners.models.keras_applications."""
    return {
        name: _as_keras(tensor.detach().float().cpu().numpy(), layer)
        for name, layer, tensor in _tensors(model, network)
    }


def _as_torch(array: Any, layer: Any) -> Any:
    """(h, w, in, out) -> (out, in, h, w); depthwise (h, w, channels, 1) -> (channels, 1, h, w)."""
    if array.ndim == 2:
        return np.ascontiguousarray(array.T)
    if array.ndim == 4:
        order = (2, 3, 0, 1) if layer.depthwise else (3, 2, 0, 1)
        return np.ascontiguousarray(array.transpose(order))
    return array


def _as_keras(array: Any, layer: Any) -> Any:
    """The way back."""
    if array.ndim == 2:
        return array.T
    if array.ndim == 4:
        return array.transpose((2, 3, 0, 1) if layer.depthwise else (2, 3, 1, 0))
    return array
