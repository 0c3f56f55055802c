"""The smallest torch network around a feature, with seeded weights, for the pictures of the job."""

from __future__ import annotations

import zlib
from typing import Callable, Dict, List, NamedTuple, Tuple

import torch
from torch import nn
from torch.ao.quantization import DeQuantStub, QuantStub

from manifests.features import FEATURES, smaller
from runners.job import Job
from runners.pytorch.probes import layers
from runners.pytorch.probes.layers import Call

CHANNELS = 32
"""Enough for weights that no converter leaves in float for being few (TFLite: below 1,024)."""
_SETTLING = 64
"""Training images by which batch normalization finds its statistics."""


class Middle(NamedTuple):
    """A feature between two layers; ``shape`` is what comes out of it, without the batch.

    ``takes_input``: it comes before everything else, and the first layer behind it.
    """

    module: nn.Module
    shape: Tuple[int, ...]
    takes_input: bool = False
    fused: bool = False


class Network(nn.Module):
    """float32 (n, 3, h, w) -> (n, classes); ``front`` isn't part of what is quantized by hand."""

    float_layers: Tuple[str, ...] = ()

    def __init__(
        self, front: nn.Module, first: nn.Module, middle: Middle, last: nn.Module, stubbed: bool
    ) -> None:
        super().__init__()
        self.front = front
        self.quantize = QuantStub() if stubbed else nn.Identity()
        self.first, self.feature, self.last = first, middle.module, last
        self.dequantize = DeQuantStub() if stubbed else nn.Identity()
        self._fused = middle.fused

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.feature(self.first(self.quantize(self.front(x))))
        answers: torch.Tensor = self.dequantize(self.last(x))
        return answers

    def fusible(self) -> List[List[str]]:
        """What quantization in eager mode is told to fuse."""
        return [["first", "feature"]] if self._fused else []


class Embedded(Network):
    """Tokens are looked up before anything can be quantized by a stub."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.quantize(self.feature(self.front(x)))
        answers: torch.Tensor = self.dequantize(self.last(x))
        return answers


def built(job: Job, stubbed: bool = False) -> Network:
    """The network of the cell's feature, in evaluation mode: every time with the same weights."""
    name = job.cell.feature
    torch.manual_seed(zlib.crc32(name.encode()) + job.cell.seed)
    side, classes = job.cell.image_size, len(job.data.meta.classes)
    made = _MIDDLES[name](side, stubbed)
    if FEATURES[name].between == "convolutions":
        network = _between_convolutions(made, classes, stubbed, name == "dynamic-shape")
    else:
        network = _between_products(made, side, classes, stubbed)
    _settle(job, network)
    network.eval()
    return network


def _between_convolutions(middle: Middle, classes: int, stubbed: bool, any_size: bool) -> Network:
    first: nn.Module = nn.Conv2d(3, CHANNELS, 5, padding=2)
    if middle.takes_input:
        middle = middle._replace(module=nn.Sequential(middle.module, first))
        first = nn.Identity()
    channels, height, width = middle.shape
    kernel = (smaller(height), smaller(width)) if any_size else (height, width)
    last = nn.Conv2d(channels, classes, kernel)
    ends = [last, nn.AdaptiveAvgPool2d(1)] if any_size else [last]
    return Network(nn.Identity(), first, middle, nn.Sequential(*ends, nn.Flatten()), stubbed)


def _between_products(middle: Middle, side: int, classes: int, stubbed: bool) -> Network:
    size = 1
    for length in middle.shape:
        size *= length
    last = nn.Sequential(nn.Flatten(), nn.Linear(size, classes))
    if middle.takes_input:
        return Embedded(Call(layers.tokens), nn.Identity(), middle, last, stubbed)
    return Network(Call(layers.rows), nn.Linear(3 * side, CHANNELS), middle, last, stubbed)


def _settle(job: Job, network: nn.Module) -> None:
    """Give batch normalization the statistics of training images."""
    norms = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    if not norms:
        return
    images = job.data.normalise(job.data.train(_SETTLING, job.cell.seed).images)
    for one in norms:
        one.momentum = 1.0
    network.train()
    with torch.no_grad():
        network(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous())
    for one in norms:
        one.momentum = 0.1


def _conv(inputs: int = CHANNELS, outputs: int = CHANNELS, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1, groups=groups)


_Make = Callable[[int, bool], Middle]


def _picture(make: Callable[[], nn.Module], fused: bool = False) -> _Make:
    """What leaves pictures as large as they were."""
    return lambda side, stubbed: Middle(make(), (CHANNELS, side, side), fused=fused)


def _sized(make: Callable[[], nn.Module], shape: Callable[[int], Tuple[int, ...]]) -> _Make:
    return lambda side, stubbed: Middle(make(), shape(side))


def _sequence(make: Callable[[], nn.Module]) -> _Make:
    return lambda side, stubbed: Middle(make(), (side, CHANNELS))


def _function(
    function: Callable[[torch.Tensor], torch.Tensor], shape: Callable[[int], Tuple[int, ...]]
) -> _Make:
    return lambda side, stubbed: Middle(Call(function), shape(side))


def _join(how: str, channels: int = CHANNELS) -> _Make:
    def make(side: int, stubbed: bool) -> Middle:
        right = nn.Identity() if how == "add" else _conv()
        joined = layers.Joined(how, _conv(), right, stubbed)
        return Middle(joined, (channels, side, side))

    return make


def _halved(side: int) -> Tuple[int, ...]:
    return CHANNELS, side // 2, side // 2


def _doubled(side: int) -> Tuple[int, ...]:
    return CHANNELS, 2 * side, 2 * side


def _pictures(side: int) -> Tuple[int, ...]:
    return CHANNELS, side, side


def _pixels(make: Callable[[bool], nn.Module]) -> _Make:
    return lambda side, stubbed: Middle(make(stubbed), (CHANNELS, side, side), takes_input=True)


_MIDDLES: Dict[str, _Make] = {
    "conv2d": _picture(_conv),
    "pointwise": _picture(lambda: nn.Conv2d(CHANNELS, CHANNELS, 1)),
    "depthwise": _picture(lambda: _conv(groups=CHANNELS)),
    "grouped": _picture(lambda: _conv(groups=4)),
    "dilated": _picture(lambda: nn.Conv2d(CHANNELS, CHANNELS, 3, padding=2, dilation=2)),
    "transposed": _sized(lambda: nn.ConvTranspose2d(CHANNELS, CHANNELS, 2, stride=2), _doubled),
    "conv1d": _sequence(lambda: layers.Along(CHANNELS)),
    "conv3d": _sized(layers.InThree, lambda side: (2 * CHANNELS, side, side)),
    "linear": _sequence(lambda: nn.Linear(CHANNELS, CHANNELS)),
    "matmul": lambda side, stubbed: Middle(layers.Squared(stubbed), (side, side)),
    "embedding": lambda side, stubbed: Middle(layers.Embedded(8), (side, side, 8), True),
    "embedding-bag": lambda side, stubbed: Middle(layers.Bags(CHANNELS), (side, CHANNELS), True),
    "lstm": _sequence(lambda: layers.Recurrent(nn.LSTM(CHANNELS, CHANNELS, batch_first=True))),
    "gru": _sequence(lambda: layers.Recurrent(nn.GRU(CHANNELS, CHANNELS, batch_first=True))),
    "multi-head-attention": _sequence(lambda: layers.SelfAttention(CHANNELS)),
    "scaled-dot-product": _sequence(lambda: Call(layers.attended)),
    "layer-norm": _sequence(lambda: nn.LayerNorm(CHANNELS)),
    "group-norm": _picture(lambda: nn.GroupNorm(4, CHANNELS)),
    "instance-norm": _picture(lambda: nn.InstanceNorm2d(CHANNELS, affine=True)),
    "batch-norm-fused": _picture(lambda: nn.BatchNorm2d(CHANNELS), fused=True),
    "batch-norm": _sized(lambda: nn.Sequential(nn.MaxPool2d(2), nn.BatchNorm2d(CHANNELS)), _halved),
    "relu": _picture(nn.ReLU, fused=True),
    "relu6": _picture(nn.ReLU6),
    "leaky-relu": _picture(lambda: nn.LeakyReLU(0.1)),
    "prelu": _picture(lambda: nn.PReLU(CHANNELS)),
    "elu": _picture(nn.ELU),
    "gelu": _picture(nn.GELU),
    "silu": _picture(nn.SiLU),
    "hard-swish": _picture(nn.Hardswish),
    "sigmoid": _picture(nn.Sigmoid),
    "tanh": _picture(nn.Tanh),
    "softmax": _picture(lambda: nn.Softmax(1)),
    "residual-add": _join("add"),
    "concatenation": _join("cat", 2 * CHANNELS),
    "multiplication": _join("mul"),
    "reshape": lambda side, stubbed: Middle(
        Call(lambda x: torch.reshape(x, (-1, 2 * CHANNELS, side, side // 2))),
        (2 * CHANNELS, side, side // 2),
    ),
    "transpose": _function(lambda x: x.transpose(2, 3), _pictures),
    "slice": _function(lambda x: x[:, : CHANNELS // 2], lambda side: (CHANNELS // 2, side, side)),
    "padding": _function(
        lambda x: nn.functional.pad(x, (1, 1, 1, 1)), lambda side: (CHANNELS, side + 2, side + 2)
    ),
    "mean": _function(lambda x: x.mean(2, keepdim=True), lambda side: (CHANNELS, 1, side)),
    "upsampling-nearest": _sized(lambda: nn.Upsample(scale_factor=2), _doubled),
    "upsampling-bilinear": _sized(
        lambda: nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False), _doubled
    ),
    "max-pool": _sized(lambda: nn.MaxPool2d(2), _halved),
    "average-pool": _sized(lambda: nn.AvgPool2d(2), _halved),
    "global-average-pool": _sized(lambda: nn.AdaptiveAvgPool2d(1), lambda side: (CHANNELS, 1, 1)),
    "rescaling": _pixels(layers.Rescaled),
    "normalisation": _pixels(lambda stubbed: layers.Normalised()),
    "nested": _picture(lambda: nn.Sequential(_conv(), nn.Sequential(nn.ReLU(), _conv()))),
    "subclassed": _picture(lambda: layers.Branching(CHANNELS)),
    "shared-layer": _picture(lambda: layers.Twice(_conv())),
    "dynamic-shape": _picture(_conv),
    "batch-1": _picture(_conv),
    "batch-32": _picture(_conv),
}
