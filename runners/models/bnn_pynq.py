"""BNN-PYNQ's topologies (Umuroglu 2017, FINN, section 4) as plain data: fully connected, and CNV.

Each layer is a product without bias, then batch normalization, and then, except behind the last
one, what the technique makes of it: a sign, or in float32 a ReLU. Behind the last product one scale
and one offset serve all classes. Weights are of one bit or two; in float32 they are any numbers.

The input is ``pixel - 128``, whole numbers of 8 bits. The fully connected ones take one channel,
the second of three (the digits are grey, all three are equal), and its sign first; CNV takes all.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

import numpy as np

from runners.failures import DamagedInput, Unsupported

Array = Any

EPSILON = 1e-4
"""Of batch normalization, as BNN-PYNQ has it."""
MIDDLE = 128.0
"""The pixel that becomes 0."""


class Product(NamedTuple):
    """``kernel``: 0 is a fully connected layer, else a convolution without padding, stride 1.

    ``pooled``: the largest of each 2 x 2 is taken behind it.
    """

    name: str
    inputs: int
    outputs: int
    kernel: int = 0
    pooled: bool = False

    @property
    def shape(self) -> Tuple[int, ...]:
        """Of the neutral weights: (height, width, in, out), or (in, out)."""
        plane = (self.kernel, self.kernel) if self.kernel else ()
        return (*plane, self.inputs, self.outputs)


class BinaryNetwork(NamedTuple):
    """``channels``: how many of a picture's channels it takes. ``binary_input``: by their sign.

    ``dropout``: the share of each product's inputs that a training step leaves out.
    """

    name: str
    image_size: int
    channels: int
    binary_input: bool
    products: List[Product]
    dropout: float = 0.0

    def is_last(self, product: Product) -> bool:
        return product is self.products[-1]

    def scales(self, product: Product) -> int:
        """How many scales and offsets its batch normalization has."""
        return 1 if self.is_last(product) else product.outputs

    @property
    def few_bit_products(self) -> int:
        """How many products have weights and inputs of a bit or two: not one that takes pixels."""
        return len(self.products) - (0 if self.binary_input else 1)

    def packed_bytes(self, bits: int) -> int:
        """What the weights take when each has so many bits."""
        return (sum(int(np.prod(product.shape)) for product in self.products) * bits + 7) // 8


def tfc(classes: int) -> BinaryNetwork:
    """The tiny fully connected network: 64 wide."""
    return _fully_connected("tfc", 64, classes)


def sfc(classes: int) -> BinaryNetwork:
    """The small fully connected network: 256 wide."""
    return _fully_connected("sfc", 256, classes)


def lfc(classes: int) -> BinaryNetwork:
    """The large fully connected network, which BNN-PYNQ's boards run: 1,024 wide."""
    return _fully_connected("lfc", 1024, classes)


def _fully_connected(name: str, width: int, classes: int) -> BinaryNetwork:
    """Three layers of one width and the last one, for 28 x 28 pixels."""
    widths = [28 * 28, width, width, width, classes]
    products = [
        Product(f"dense{index}", inputs, outputs)
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:]), start=1)
    ]
    return BinaryNetwork(name, 28, 1, True, products, dropout=0.2)


_CNV = ((3, 64, False), (64, 64, True), (64, 128, False), (128, 128, True), (128, 256, False),
        (256, 256, False))  # fmt: skip


def cnv(classes: int) -> BinaryNetwork:
    """The convolutional network for CIFAR-10's pictures, 32 x 32 pixels (after VGG)."""
    products = [
        Product(f"conv{index}", inputs, outputs, 3, pooled)
        for index, (inputs, outputs, pooled) in enumerate(_CNV, start=1)
    ]
    widths = [256, 512, 512, classes]
    products += [
        Product(f"dense{index}", inputs, outputs)
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:]), start=1)
    ]
    return BinaryNetwork("cnv", 32, 3, False, products)


BINARY_NETWORKS = {"tfc": tfc, "sfc": sfc, "lfc": lfc, "cnv": cnv}


def binary_network(model: str, classes: int, image_size: int) -> BinaryNetwork:
    """The network called ``model``. Raises Unsupported for another, or for another size."""
    if model not in BINARY_NETWORKS:
        raise Unsupported(f"no binary network {model!r}. Accepted: {', '.join(BINARY_NETWORKS)}")
    network = BINARY_NETWORKS[model](classes)
    if image_size != network.image_size:
        raise Unsupported(
            f"{model} takes pictures of {network.image_size} pixels, not {image_size}: its last "
            "convolution leaves one pixel, its first product takes so many"
        )
    return network


def inputs_of(network: BinaryNetwork, pixels: Array) -> Array:
    """float32 NHWC pixels 0 ... 255 -> float32 NHWC, whole numbers -128 ... 127."""
    channels = pixels if network.channels == pixels.shape[-1] else pixels[..., 1:2]
    return np.ascontiguousarray(channels, np.float32) - np.float32(MIDDLE)


_NORMALIZATION = {"gamma": 1.0, "beta": 0.0, "moving_mean": 0.0, "moving_variance": 1.0}


def initial_arrays(network: BinaryNetwork, seed: int) -> Dict[str, Array]:
    """Float32 ``<layer>.kernel`` and ``<layer>_bn.<gamma, beta, moving_mean, moving_variance>``.

    Kernels are uniform within -1 ... 1, as BNN-PYNQ's are: of much smaller ones every
    ternary weight would be 0. Batch normalization takes their size out again.
    """
    generator = np.random.default_rng(seed)
    arrays: Dict[str, Array] = {}
    for product in network.products:
        drawn = generator.random(product.shape, dtype=np.float32)
        arrays[f"{product.name}.kernel"] = drawn * np.float32(2) - np.float32(1)
        for name, value in _NORMALIZATION.items():
            whole = np.full(network.scales(product), value, np.float32)
            arrays[f"{product.name}_bn.{name}"] = whole
    return arrays


def check_arrays(network: BinaryNetwork, arrays: Dict[str, Array]) -> None:
    """Raises DamagedInput that names what is missing, of another shape, or not finite."""
    for name, wanted in initial_arrays(network, 0).items():
        if name not in arrays:
            raise DamagedInput(f"the neutral weights have no {name!r}, which {network.name} needs")
        found = arrays[name]
        if found.shape != wanted.shape:
            raise DamagedInput(
                f"{name!r} of the neutral weights has shape {found.shape}; {network.name} needs "
                f"{wanted.shape}"
            )
        if not np.isfinite(found).all():
            raise DamagedInput(f"{name!r} of the neutral weights holds values that aren't finite")
