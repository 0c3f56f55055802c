"""The layers that networks are described with, as plain data."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Tuple, Union

Pad = Tuple[int, int]
"""Pixels added before and after, the same for rows and columns."""


class Convolution(NamedTuple):
    """``depthwise``: one filter a channel, and ``outputs`` equals ``inputs``."""

    name: str
    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    pad: Pad = (0, 0)
    bias: bool = True
    depthwise: bool = False


class Normalisation(NamedTuple):
    """BatchNorm; ``momentum`` is Keras': the share of the old moving average that is kept."""

    name: str
    channels: int
    epsilon: float
    momentum: float = 0.99


class Relu(NamedTuple):
    """``limit`` 6.0 is ReLU6; 0.0 means none."""

    limit: float = 0.0


class MaxPool(NamedTuple):
    """What is padded never wins, as zeros never do behind a ReLU."""

    kernel: int
    stride: int
    pad: Pad = (0, 0)


class Residual(NamedTuple):
    """relu(branch(x) + shortcut(x)); an empty ``shortcut`` is the identity."""

    branch: List[Any]
    shortcut: List[Any]


class Flatten(NamedTuple):
    """(height, width, channels) in that order, as Keras flattens."""


class Dense(NamedTuple):
    name: str
    inputs: int
    outputs: int


Layer = Union[Convolution, Normalisation, Relu, MaxPool, Residual, Flatten, Dense]


class Preprocessing(NamedTuple):
    """(pixel[order] - mean) / scale on float32 RGB pixels 0 ... 255."""

    mean: Tuple[float, float, float]
    scale: float
    reverse: bool
