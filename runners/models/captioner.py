"""The captioner as plain data: a small CNN encoder and a Transformer decoder (Vaswani 2017).

lad2023 began with such a network and took one component after another out of it. Every framework
builds it from the names here, so that the same weights give the same function: layers are called
alike everywhere, and each belongs to one component, which is what stays in float or does not.

Normalisation comes behind each addition, as in Vaswani 2017, section 3.1. Words that come later are
masked with -20, not with minus infinity: their weight is still below 1e-8, and an 8-bit scale over
the masked scores still tells the others apart.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

Array = Any

NAME = "captioner"
MASKED = -20.0
EPSILON = 1e-5


class Convolution(NamedTuple):
    """3 x 3 with bias and a ReLU behind it, one pixel of zeros on every side."""

    name: str
    inputs: int
    outputs: int
    stride: int


REMOVABLE: Dict[str, Tuple[str, ...]] = {
    "positional-encoding": ("positional-encoding",),
    "self-attention": ("self-attention-projections", "self-attention-scores"),
    "layer-normalisation": ("layer-normalisation",),
    "residual-additions": ("residual-additions",),
    "feed-forward": ("feed-forward",),
}
"""What can be taken out so that it still captions pictures, and the components that go with it."""

SUBLAYERS = ("self-attention", "cross-attention", "feed-forward")
"""Of a block, in order; behind each stand an addition and a normalisation."""


class Captioner(NamedTuple):
    """``words`` in the vocabulary, ``length`` of them read and answered at once; ``width`` numbers
    for each, in ``heads`` parts; ``inner`` numbers inside a feed-forward layer.

    ``positions``: of the picture, after the encoder. ``removed``: parts of REMOVABLE that it does
    without; with a sublayer, its addition and normalisation go too.
    """

    words: int
    length: int
    image_size: int
    width: int = 64
    heads: int = 4
    inner: int = 128
    blocks: int = 2
    removed: Tuple[str, ...] = ()

    def has(self, part: str) -> bool:
        """Whether ``part`` was not taken out."""
        return part not in self.removed

    @property
    def convolutions(self) -> List[Convolution]:
        """The encoder: height and width fall to a quarter."""
        half = self.width // 2
        return [
            Convolution("encoder_conv1", 3, half, 1),
            Convolution("encoder_conv2", half, self.width, 2),
            Convolution("encoder_conv3", self.width, self.width, 2),
        ]

    @property
    def positions(self) -> int:
        """Of the encoder's answer, row by row."""
        side = ((self.image_size + 1) // 2 + 1) // 2
        return side * side

    @property
    def products(self) -> Dict[str, Tuple[int, int]]:
        """Inputs and outputs of every layer that multiplies by a matrix."""
        width = self.width
        found = {}
        for block in range(self.blocks):
            for kind in self.attentions:
                for part in ("query", "key", "value", "output"):
                    found[f"block{block}_{kind}_{part}"] = (width, width)
            if self.has("feed-forward"):
                found[f"block{block}_feed_inner"] = (width, self.inner)
                found[f"block{block}_feed_outer"] = (self.inner, width)
        found["head"] = (width, self.words)
        return found

    @property
    def attentions(self) -> List[str]:
        """The kinds of attention that a block has."""
        return [kind for kind in ("self", "cross") if self.has(f"{kind}-attention")]

    @property
    def normalisations(self) -> List[str]:
        """The layers that normalise, in order."""
        return self._behind_sublayers("norm") if self.has("layer-normalisation") else []

    @property
    def additions(self) -> List[str]:
        """The layers that add what a sublayer was given to what it made of it, in order."""
        return self._behind_sublayers("add") if self.has("residual-additions") else []

    def _behind_sublayers(self, layer: str) -> List[str]:
        places = [place for place, part in enumerate(SUBLAYERS, 1) if self.has(part)]
        return [f"block{block}_{layer}{place}" for block in range(self.blocks) for place in places]


COMPONENTS = (
    "image-encoder", "token-embedding", "positional-encoding", "self-attention-projections",
    "self-attention-scores", "cross-attention-projections", "cross-attention-scores",
    "layer-normalisation", "residual-additions", "feed-forward", "output-layer",
)  # fmt: skip
"""What stays in float or doesn't, in the order of the network."""


def layers_of(network: Captioner) -> Dict[str, List[str]]:
    """The layers of each component, those without weights too, by the names that they have; none of
    a component that was taken out.
    """
    blocks = range(network.blocks)
    products = network.products

    def multiplying(kind: str) -> List[str]:
        return [name for name in products if name.partition("_")[2].startswith(f"{kind}_")]

    def scores(kind: str) -> List[str]:
        there = kind in network.attentions
        return [f"block{block}_{kind}_scores" for block in blocks] if there else []

    positions = ["token_position", "picture_position"]
    layers = (
        [one.name for one in network.convolutions],
        ["embedding"],
        positions if network.has("positional-encoding") else [],
        multiplying("self"),
        scores("self"),
        multiplying("cross"),
        scores("cross"),
        network.normalisations,
        network.additions,
        multiplying("feed"),
        ["head"],
    )
    return dict(zip(COMPONENTS, layers))


def without(network: Captioner, removed: Sequence[str]) -> Captioner:
    """The same network, parts of REMOVABLE taken out. Raises KeyError for another part."""
    unknown = [part for part in removed if part not in REMOVABLE]
    if unknown:
        raise KeyError(unknown[0])
    return network._replace(removed=tuple(part for part in REMOVABLE if part in removed))


def of_network(network: Captioner, arrays: Dict[str, Array]) -> Dict[str, Array]:
    """The arrays of the layers that ``network`` has."""
    layers = {layer for named in layers_of(network).values() for layer in named}
    return {key: value for key, value in arrays.items() if key.rpartition(".")[0] in layers}


def removed_components(removed: Sequence[str]) -> List[str]:
    """Those of COMPONENTS that go with parts that are taken out, in the network's order."""
    gone = {name for part in removed for name in REMOVABLE[part]}
    return [name for name in COMPONENTS if name in gone]


def component_of(network: Captioner, layer: str) -> str:
    """The component that a layer belongs to. Raises KeyError for one that is in none."""
    for component, layers in layers_of(network).items():
        if layer in layers:
            return component
    raise KeyError(layer)


def initial_arrays(network: Captioner, seed: int) -> Dict[str, Array]:
    """Float32 arrays ``<layer>.<kernel, bias, gamma, beta>``; kernels are (..., in, out).

    Glorot uniform kernels, zero biases, normalisation as the identity, embeddings of mean 0 and
    standard deviation 1 / sqrt(width).
    """
    generator = np.random.default_rng(seed)
    arrays: Dict[str, Array] = {}
    for one in network.convolutions:
        arrays[f"{one.name}.kernel"] = _glorot((3, 3, one.inputs, one.outputs), generator)
        arrays[f"{one.name}.bias"] = np.zeros(one.outputs, np.float32)
    drawn = generator.standard_normal((network.words, network.width), dtype=np.float32)
    arrays["embedding.kernel"] = drawn * np.float32(network.width**-0.5)
    for name, shape in network.products.items():
        arrays[f"{name}.kernel"] = _glorot(shape, generator)
        arrays[f"{name}.bias"] = np.zeros(shape[1], np.float32)
    for name in network.normalisations:
        arrays[f"{name}.gamma"] = np.ones(network.width, np.float32)
        arrays[f"{name}.beta"] = np.zeros(network.width, np.float32)
    return arrays


def _glorot(shape: Tuple[int, ...], generator: Any) -> Array:
    """Uniform within sqrt(6 / (fan in + fan out)) (Glorot 2010, equation 16)."""
    area = int(np.prod(shape[:-2]))
    limit = (6.0 / (area * (shape[-2] + shape[-1]))) ** 0.5
    drawn = generator.random(shape, dtype=np.float32)
    return (drawn * np.float32(2) - np.float32(1)) * np.float32(limit)


def position_table(count: int, width: int) -> Array:
    """float32 (count, width): sines and cosines of wavelengths from 2 pi to 10000 x 2 pi, side by
    side (Vaswani 2017, section 3.5).
    """
    places = np.arange(count)[:, None]
    rates = np.exp(-np.log(10000.0) * np.arange(0, width, 2) / width)
    table = np.empty((count, width), np.float32)
    table[:, 0::2] = np.sin(places * rates)
    table[:, 1::2] = np.cos(places * rates)
    return table


def later_words(length: int) -> Array:
    """float32 (length, length): MASKED where a word would read one that comes after it, else 0."""
    return np.triu(np.full((length, length), MASKED, np.float32), 1)
