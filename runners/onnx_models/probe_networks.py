"""The smallest ONNX network around a probed feature, with seeded weights, NCHW like every other."""

from __future__ import annotations

import zlib
from typing import Any, Dict

import numpy as np

from manifests.features import FEATURES, smaller
from runners.job import Job
from runners.onnx_models.probe_graph import CHANNELS, Net, Part
from runners.onnx_models.probe_layers import LAYERS
from runners.onnx_models.probe_operations import BEFORE, OPERATIONS

Model = Any  # onnx.ModelProto

_TOKENS = ("embedding", "embedding-bag")
_MIDDLES: Dict[str, Part] = {**LAYERS, **OPERATIONS}


def built(job: Job) -> Model:
    """The network of the cell's feature, every time with the same weights."""
    name = job.cell.feature
    classes, side = len(job.data.meta.classes), job.cell.image_size
    net = Net(zlib.crc32(name.encode()) + job.cell.seed, side)
    if FEATURES[name].between == "convolutions":
        _between_convolutions(net, name, classes)
    else:
        _between_products(net, name, classes)
    return net.model(f"probe-{name}", None if name == "dynamic-shape" else side, classes)


def _between_convolutions(net: Net, name: str, classes: int) -> None:
    if name in BEFORE:
        BEFORE[name](net)
        net.conv(kernel=(5, 5), pad=2)
    else:
        net.conv(kernel=(5, 5), pad=2)
        _MIDDLES[name](net)
    if name == "dynamic-shape":
        net.conv(classes, (smaller(net.side), smaller(net.side)), 0)
        net.add("GlobalAveragePool")
    else:
        net.conv(classes, (net.shape[1], net.shape[2]), 0)
    net.add("Flatten", axis=1)


def _between_products(net: Net, name: str, classes: int) -> None:
    if name not in _TOKENS:
        net.add("Transpose", perm=[0, 2, 3, 1])
        net.reshaped(net.side, 3 * net.side)
        net.linear(CHANNELS)
    _MIDDLES[name](net)
    net.add("Flatten", axis=1)
    net.shape = (int(np.prod(net.shape)),)
    net.add("Gemm", net.drawn(net.shape[0], classes, fan_in=net.shape[0]), net.drawn(classes))
