"""The captioner of runners.models.captioner as torch modules, plain and with stubs for eager mode.

Every layer is a module of its own, called by its name; what has no weights too, so that a technique
that leaves modules in float can leave each of them.
"""

from __future__ import annotations

from typing import Any, Dict, FrozenSet, List

import numpy as np
import torch
from torch import nn
from torch.ao.nn.quantized import FloatFunctional
from torch.ao.quantization import DeQuantStub, QuantStub

from runners.models.captioner import (
    EPSILON,
    Captioner,
    later_words,
    layers_of,
    position_table,
)
from runners.pytorch.parts.products import product


class AsItIs(nn.Module):
    """A table that is added to every item of a batch."""

    def forward(self, table: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        return table


class Quantizing(nn.Module):
    """The same through a stub, once for each item: eager mode adds tensors of one shape only."""

    def __init__(self) -> None:
        super().__init__()
        self.stub = QuantStub()

    def forward(self, table: torch.Tensor, batch: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.stub(table.expand(batch.shape))
        return found


class PositionalEncoding(nn.Module):
    """x + a fixed table, for every item of a batch."""

    def __init__(self, count: int, width: int) -> None:
        super().__init__()
        self.register_buffer("table", torch.from_numpy(position_table(count, width)), False)
        self.place: nn.Module = AsItIs()
        self.sum = FloatFunctional()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.sum.add(x, self.place(self.table, x))


class Addition(nn.Module):
    """x + y, as a module that quantization can replace."""

    def __init__(self) -> None:
        super().__init__()
        self.sum = FloatFunctional()

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return self.sum.add(x, y)


class Scores(nn.Module):
    """softmax(query keyᵀ / sqrt(width of a head)) value, by heads (Vaswani 2017, section 3.2)."""

    def __init__(self, network: Captioner, masked: bool) -> None:
        super().__init__()
        self.heads, self.each = network.heads, network.width // network.heads
        self.products, self.mix = FloatFunctional(), FloatFunctional()
        self.scale, self.masking = FloatFunctional(), FloatFunctional()
        self.masked = masked
        self.register_buffer("mask", torch.from_numpy(later_words(network.length)), False)
        self.place: nn.Module = AsItIs()
        self.softmax = nn.Softmax(dim=-1)

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        scores = product(self.products, self._parted(query), self._parted(key).transpose(2, 3))
        scores = self.scale.mul_scalar(scores, self.each**-0.5)
        if self.masked:
            scores = self.masking.add(scores, self.place(self.mask, scores))
        mixed = product(self.mix, self.softmax(scores), self._parted(value))
        return mixed.transpose(1, 2).flatten(2)

    def _parted(self, x: torch.Tensor) -> torch.Tensor:
        """(n, words, width) -> (n, heads, words, each)."""
        return x.reshape(x.shape[0], -1, self.heads, self.each).transpose(1, 2)


class CaptionerModule(nn.Module):
    """float32 pictures (n, 3, h, w), int64 words (n, length) -> logits (n, length, words)."""

    def __init__(self, network: Captioner) -> None:
        super().__init__()
        self.network = network
        for one in network.convolutions:
            made = nn.Conv2d(one.inputs, one.outputs, 3, one.stride, 1)
            self.add_module(one.name, made)
            self.add_module(f"{one.name}_relu", nn.ReLU())
        self.embedding = nn.Embedding(network.words, network.width)
        if network.has("positional-encoding"):
            self.token_position = PositionalEncoding(network.length, network.width)
            self.picture_position = PositionalEncoding(network.positions, network.width)
        for name, (inputs, outputs) in network.products.items():
            self.add_module(name, nn.Linear(inputs, outputs))
        for name in network.normalisations:
            self.add_module(name, nn.LayerNorm(network.width, EPSILON))
        for name in network.additions:
            self.add_module(name, Addition())
        for block in range(network.blocks):
            for kind in network.attentions:
                self.add_module(f"block{block}_{kind}_scores", Scores(network, kind == "self"))
            if network.has("feed-forward"):
                self.add_module(f"block{block}_feed_inner_relu", nn.ReLU())

    def layer(self, name: str, *inputs: torch.Tensor) -> torch.Tensor:
        """What the layer of that name makes of its inputs."""
        found: torch.Tensor = getattr(self, name)(*inputs)
        return found

    def forward(self, pictures: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        seen = self._encoded(pictures)
        x = self._placed("token_position", self.embedding(words))
        for block in range(self.network.blocks):
            x = self._block(f"block{block}", x, seen)
        return self.layer("head", x)

    def _encoded(self, pictures: torch.Tensor) -> torch.Tensor:
        """(n, positions, width)."""
        x = pictures
        for one in self.network.convolutions:
            x = self.layer(f"{one.name}_relu", self.layer(one.name, x))
        return self._placed("picture_position", x.flatten(2).transpose(1, 2))

    def _placed(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return self.layer(name, x) if self.network.has("positional-encoding") else x

    def _block(self, name: str, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        if self.network.has("self-attention"):
            x = self._joined(name, 1, x, self._attention(f"{name}_self", x, x))
        x = self._joined(name, 2, x, self._attention(f"{name}_cross", x, seen))
        if not self.network.has("feed-forward"):
            return x
        inner = self.layer(f"{name}_feed_inner_relu", self.layer(f"{name}_feed_inner", x))
        return self._joined(name, 3, x, self.layer(f"{name}_feed_outer", inner))

    def _joined(self, name: str, place: int, x: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
        if self.network.has("residual-additions"):
            made = self.layer(f"{name}_add{place}", x, made)
        if self.network.has("layer-normalisation"):
            made = self.layer(f"{name}_norm{place}", made)
        return made

    def _attention(self, name: str, x: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
        query = self.layer(f"{name}_query", x)
        key, value = self.layer(f"{name}_key", seen), self.layer(f"{name}_value", seen)
        return self.layer(f"{name}_output", self.layer(f"{name}_scores", query, key, value))


class StubbedCaptionerModule(CaptionerModule):
    """The same made ready for eager mode: what enters a quantized layer in float passes a stub,
    what enters a layer that stays in float is dequantized.
    """

    def __init__(self, network: Captioner, kept: FrozenSet[str]) -> None:
        super().__init__(network)
        self.kept_layers = {
            layer for name, layers in layers_of(network).items() if name in kept for layer in layers
        }
        self.stubs = nn.ModuleDict()
        self.dequantize = DeQuantStub()
        for name, module in list(self.named_children()):
            if isinstance(module, (PositionalEncoding, Scores)) and not self.keeps(name):
                module.place = Quantizing()
            for place in range(3):
                if name not in ("embedding", "stubs", "dequantize") and not self.keeps(name):
                    self.stubs[f"{name}_{place}"] = QuantStub()

    def keeps(self, name: str) -> bool:
        """Whether the module of that name stays in float."""
        return layer_of(name) in self.kept_layers

    def layer(self, name: str, *inputs: torch.Tensor) -> torch.Tensor:
        entered = [self._entering(name, place, one) for place, one in enumerate(inputs)]
        return super().layer(name, *entered)

    def forward(self, pictures: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
        logits = super().forward(pictures, words)
        found: torch.Tensor = self.dequantize(logits) if logits.is_quantized else logits
        return found

    def _entering(self, name: str, place: int, x: torch.Tensor) -> torch.Tensor:
        if self.keeps(name):
            return x.dequantize() if x.is_quantized else x
        found: torch.Tensor = x if x.is_quantized else self.stubs[f"{name}_{place}"](x)
        return found

    def fusible(self) -> List[List[str]]:
        """The pairs of module names that become one."""
        firsts = [one.name for one in self.network.convolutions]
        firsts += [name for name in self.network.products if name.endswith("_feed_inner")]
        return [[name, f"{name}_relu"] for name in firsts if not self.keeps(name)]


def layer_of(module: str) -> str:
    """The layer that a module's name belongs to: ReLUs go with what they come behind."""
    first = module.partition(".")[0]
    return first[: -len("_relu")] if first.endswith("_relu") else first


def load_arrays(model: CaptionerModule, arrays: Dict[str, Any]) -> None:
    """Copy arrays named as in runners.models.captioner into ``model``."""
    with torch.no_grad():
        for key, value in arrays.items():
            name, _, kind = key.rpartition(".")
            _parameter(model, name, kind).copy_(torch.from_numpy(_turned(value, name, kind)))


def arrays_of(model: CaptionerModule) -> Dict[str, Any]:
    """The weights of ``model``, named and laid out as in runners.models.captioner."""
    found: Dict[str, Any] = {}
    for name, module in model.named_children():
        for parameter, value in module.named_parameters(recurse=False):
            kind = _kind(module, parameter)
            array = value.detach().float().cpu().numpy()
            found[f"{name}.{kind}"] = _back(array, name, kind)
    return found


def _kind(module: nn.Module, parameter: str) -> str:
    if isinstance(module, nn.LayerNorm):
        return {"weight": "gamma", "bias": "beta"}[parameter]
    return {"weight": "kernel", "bias": "bias"}[parameter]


def _parameter(model: nn.Module, name: str, kind: str) -> torch.Tensor:
    attribute = {"kernel": "weight", "gamma": "weight", "beta": "bias"}.get(kind, kind)
    found: torch.Tensor = getattr(getattr(model, name), attribute)
    return found


def _turned(value: Any, name: str, kind: str) -> Any:
    """From (..., in, out) to torch's order; an embedding's rows are words in both."""
    if kind != "kernel" or name == "embedding":
        return np.ascontiguousarray(value)
    order = (3, 2, 0, 1) if value.ndim == 4 else (1, 0)
    return np.ascontiguousarray(value.transpose(order))


def _back(value: Any, name: str, kind: str) -> Any:
    if kind != "kernel" or name == "embedding":
        return value
    return np.ascontiguousarray(value.transpose((2, 3, 1, 0) if value.ndim == 4 else (1, 0)))
