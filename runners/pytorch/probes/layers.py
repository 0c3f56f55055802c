"""The features that torch has no module for, and those that eager quantization has another for.

``stubbed``: the form that quantization in eager mode asks for, with FloatFunctional in place of
operators.
"""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import Tensor, nn
from torch.ao.nn.quantized import FloatFunctional
from torch.nn import functional

from runners.pytorch.parts.products import product


class Call(nn.Module):
    """A function as a layer."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


def rows(x: Tensor) -> Tensor:
    """Pictures (n, 3, h, w) as sequences of their rows, (n, h, 3 w)."""
    return x.permute(0, 2, 3, 1).flatten(2)


def tokens(x: Tensor) -> Tensor:
    """The first channel of pictures with values 0 ... 255 as integers, (n, h, w)."""
    return x[:, 0].long()


class Bags(nn.Module):
    """Each row of tokens looked up and averaged: (n, h, w) -> (n, h, size)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.table = nn.EmbeddingBag(256, size, mode="mean")

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.table(x.flatten(0, 1))
        return found.unflatten(0, (-1, x.shape[1]))


class Embedded(nn.Module):
    """A vector for each pixel; the rows of a picture one after another are a sequence of tokens."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(256, size)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.table(x.flatten(1))
        return found.unflatten(1, (x.shape[1], x.shape[2]))


class Recurrent(nn.Module):
    """An LSTM or a GRU whose last state nobody wants."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        states: Tensor = self.cell(x)[0]
        return states


class SelfAttention(nn.Module):
    """Two heads, each looking at the sequence itself."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(size, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.attention(x, x, x, need_weights=False)[0]
        return found


def attended(x: Tensor) -> Tensor:
    """softmax(x xᵀ / √d) x."""
    return functional.scaled_dot_product_attention(x, x, x)


class Squared(nn.Module):
    """Sequences multiplied with themselves as matrices: (n, l, d) -> (n, l, l)."""

    def __init__(self, stubbed: bool) -> None:
        super().__init__()
        self.products = FloatFunctional() if stubbed else None

    def forward(self, x: Tensor) -> Tensor:
        if self.products is None:
            return torch.matmul(x, x.transpose(1, 2))
        return product(self.products, x, x.transpose(1, 2))


class InThree(nn.Module):
    """A convolution that takes channels as a third axis: (n, 16, h, w) -> (n, 32, h, w)."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution = nn.Conv3d(1, 2, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.convolution(x.unsqueeze(1))
        return found.flatten(1, 2)


class Along(nn.Module):
    """A convolution over a sequence: (n, l, d) -> (n, l, d)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.convolution = nn.Conv1d(size, size, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.convolution(x.transpose(1, 2))
        return found.transpose(1, 2)


_PLAIN: Any = {
    "add": torch.add,
    "mul": torch.mul,
    "cat": lambda a, b: torch.cat((a, b), 1),
}


class Joined(nn.Module):
    """What ``left`` and ``right`` make of the input, joined by ``how``: add, mul or cat."""

    def __init__(self, how: str, left: nn.Module, right: nn.Module, stubbed: bool) -> None:
        super().__init__()
        self.how, self.left, self.right = how, left, right
        self.joining = FloatFunctional() if stubbed else None

    def forward(self, x: Tensor) -> Tensor:
        left, right = self.left(x), self.right(x)
        if self.joining is None:
            plain: Tensor = _PLAIN[self.how](left, right)
            return plain
        if self.how == "cat":
            return self.joining.cat((left, right), 1)
        joined: Tensor = getattr(self.joining, self.how)(left, right)
        return joined


class Rescaled(nn.Module):
    """Pixels 0 ... 255 become 0 ... 1."""

    def __init__(self, stubbed: bool) -> None:
        super().__init__()
        self.scaling = FloatFunctional() if stubbed else None

    def forward(self, x: Tensor) -> Tensor:
        if self.scaling is None:
            return x * (1 / 255)
        scaled: Tensor = self.scaling.mul_scalar(x, 1 / 255)
        return scaled


class Normalised(nn.Module):
    """Pixels 0 ... 255 less a mean, by a deviation, channel by channel."""

    def __init__(self) -> None:
        super().__init__()
        shape = (1, 3, 1, 1)
        self.register_buffer("mean", torch.tensor([124.0, 116.0, 104.0]).reshape(shape))
        self.register_buffer("deviation", torch.tensor([58.0, 57.0, 57.5]).reshape(shape))

    def forward(self, x: Tensor) -> Tensor:
        normalised: Tensor = (x - self.mean) / self.deviation
        return normalised


class Branching(nn.Module):
    """A class of one's own whose code looks at the shape of what it gets."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[2] > 1:
            x = self.convolution(x)
        return x


class Twice(nn.Module):
    """The same layer behind itself."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        twice: Tensor = self.layer(self.layer(x))
        return twice
