"""The features that are probed: what each is, and what lies around it.

A framework builds the network in ``runners/<framework>/probes/``. Its input is a batch of pictures,
its answer one number for each class; between two layers that every technique takes there is the
feature and nothing else.
"""

from __future__ import annotations

from typing import Dict, List, Literal, NamedTuple, Sequence

Between = Literal["convolutions", "linear layers"]


class Feature(NamedTuple):
    """``between``: the two layers around it. ``about``: what it is, in a few words. ``batch``: of
    how many pictures its batches are, 0 where that is no part of it.
    """

    name: str
    group: str
    about: str
    between: Between = "convolutions"
    batch: int = 0


_LINEAR: Between = "linear layers"

_ALL: List[Feature] = [
    Feature("conv2d", "convolutions", "3 × 3, stride 1"),
    Feature("pointwise", "convolutions", "1 × 1"),
    Feature("depthwise", "convolutions", "3 × 3, one filter a channel"),
    Feature("grouped", "convolutions", "3 × 3 in four groups"),
    Feature("dilated", "convolutions", "3 × 3, every second pixel"),
    Feature("transposed", "convolutions", "transposed, 2 × 2, stride 2"),
    Feature("conv1d", "convolutions", "over rows as a sequence, width 3", _LINEAR),
    Feature("conv3d", "convolutions", "3 × 3 × 3 over channels as a third axis"),
    Feature("linear", "products", "a linear layer", _LINEAR),
    Feature("matmul", "products", "two activations multiplied as matrices", _LINEAR),
    Feature("embedding", "products", "pixels as tokens looked up in a table", _LINEAR),
    Feature("embedding-bag", "products", "rows of tokens looked up and averaged", _LINEAR),
    Feature("lstm", "recurrent", "one LSTM over the rows", _LINEAR),
    Feature("gru", "recurrent", "one GRU over the rows", _LINEAR),
    Feature("multi-head-attention", "attention", "self-attention with two heads", _LINEAR),
    Feature("scaled-dot-product", "attention", "softmax(q kᵀ / √d) v without projections", _LINEAR),
    Feature("layer-norm", "normalization", "over channels", _LINEAR),
    Feature("group-norm", "normalization", "in four groups of channels"),
    Feature("instance-norm", "normalization", "each channel of each picture"),
    Feature("batch-norm-fused", "normalization", "behind a convolution, which can take it in"),
    Feature("batch-norm", "normalization", "behind a pooling, which can't take it in"),
    Feature("relu", "activations", "max(x, 0)"),
    Feature("relu6", "activations", "min(max(x, 0), 6)"),
    Feature("leaky-relu", "activations", "slope 0.1 below zero"),
    Feature("prelu", "activations", "a learned slope below zero"),
    Feature("elu", "activations", "exp(x) - 1 below zero"),
    Feature("gelu", "activations", "x Φ(x)"),
    Feature("silu", "activations", "x sigmoid(x)"),
    Feature("hard-swish", "activations", "x relu6(x + 3) / 6"),
    Feature("sigmoid", "activations", "1 / (1 + exp(-x))"),
    Feature("tanh", "activations", "hyperbolic tangent"),
    Feature("softmax", "activations", "over channels"),
    Feature("residual-add", "joins", "a convolution added to its input"),
    Feature("concatenation", "joins", "two convolutions side by side, by channels"),
    Feature("multiplication", "joins", "two convolutions multiplied"),
    Feature("reshape", "shapes", "two pixels become one of twice the channels"),
    Feature("transpose", "shapes", "rows and columns change places"),
    Feature("slice", "shapes", "half of the channels"),
    Feature("padding", "shapes", "a border of zeros"),
    Feature("mean", "shapes", "over the rows"),
    Feature("upsampling-nearest", "shapes", "twice the size, nearest pixel"),
    Feature("upsampling-bilinear", "shapes", "twice the size, bilinear"),
    Feature("max-pool", "pooling", "2 × 2"),
    Feature("average-pool", "pooling", "2 × 2"),
    Feature("global-average-pool", "pooling", "over the whole picture"),
    Feature("rescaling", "inputs", "pixels scaled inside the model, before everything else"),
    Feature("normalisation", "inputs", "mean and deviation by channel inside the model"),
    Feature("nested", "structure", "a model as a layer of another"),
    Feature("subclassed", "structure", "a class of one's own with branches in its code"),
    Feature("shared-layer", "structure", "one layer called twice"),
    Feature("dynamic-shape", "structure", "pictures of another size than was calibrated with"),
    Feature("batch-1", "structure", "one picture at a time", batch=1),
    Feature("batch-32", "structure", "batches of 32", batch=32),
]

FEATURES: Dict[str, Feature] = {feature.name: feature for feature in _ALL}
"""By name, in the order in which they are shown."""


ANY = "*"
"""Every feature, where a study lists them."""


def features_of(names: Sequence[str]) -> List[str]:
    """The features of a list, with what stands for all of them spelled out."""
    return list(
        dict.fromkeys(one for name in names for one in (FEATURES if name == ANY else [name]))
    )


def groups() -> List[str]:
    """The groups, in their order."""
    return list(dict.fromkeys(feature.group for feature in _ALL))


TAKING_PIXELS = ("rescaling", "normalisation", "embedding", "embedding-bag")
"""Those that take pixels 0 ... 255; the others take pictures of mean 0 and deviation 1."""


def feature_batch(name: str) -> int:
    """Of how many pictures the batches of a feature's probe are; 0 where it is all the same."""
    return FEATURES[name].batch if name in FEATURES else 0


def smaller(side: int) -> int:
    """The side of pictures of another size than a network was made and calibrated for."""
    return side * 3 // 4
