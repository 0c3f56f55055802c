"""The smallest Keras 2 network around a feature, with seeded weights, for a job's pictures."""

from __future__ import annotations

import zlib
from typing import Any, Callable, Dict, NamedTuple

import tensorflow as tf

from manifests.features import FEATURES, smaller
from runners.job import Job
from runners.tensorflow.probes import layers as own

keras = tf.keras  # Keras 2 in every version: parts.setup sees to it
layers = keras.layers
Tensor = Any

CHANNELS = 32
"""Enough for weights that no converter leaves in float for being few (TFLite: below 1,024)."""
_SETTLING = 64
"""Training images by which batch normalization finds its statistics."""


class Ends(NamedTuple):
    """What a network of the feature is made for."""

    side: int
    classes: int


def built(job: Job) -> Any:
    """The network of the cell's feature: float32 (n, h, w, 3) -> logits (n, classes), every time
    with the same weights.
    """
    name = job.cell.feature
    keras.utils.set_random_seed(zlib.crc32(name.encode()) % 2**31 + job.cell.seed)
    ends = Ends(job.cell.image_size, len(job.data.meta.classes))
    if FEATURES[name].between == "convolutions":
        model = _between_convolutions(name, ends)
    else:
        model = _between_products(name, ends)
    _settle(job, model)
    return model


def _between_convolutions(name: str, ends: Ends) -> Any:
    side = None if name == "dynamic-shape" else ends.side
    inputs = layers.Input((side, side, 3), name="pixels")
    first = layers.Conv2D(CHANNELS, 5, padding="same", name="first")
    x = first(_BEFORE[name](inputs)) if name in _BEFORE else _MIDDLES[name](first(inputs))
    if side is None:
        x = layers.Conv2D(ends.classes, smaller(ends.side), name="last")(x)
        return keras.Model(inputs, layers.GlobalAveragePooling2D(name="pool")(x), name="probe")
    x = layers.Conv2D(ends.classes, tuple(x.shape[1:3]), name="last")(x)
    return keras.Model(inputs, layers.Flatten(name="flatten")(x), name="probe")


def _between_products(name: str, ends: Ends) -> Any:
    inputs = layers.Input((ends.side, ends.side, 3), name="pixels")
    if name in _TOKENS:
        x = _TOKENS[name](inputs, ends.side)
    else:
        x = layers.Reshape((ends.side, 3 * ends.side), name="rows")(inputs)
        x = _MIDDLES[name](layers.Dense(CHANNELS, name="first")(x))
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(inputs, layers.Dense(ends.classes, name="last")(x), name="probe")


def _settle(job: Job, model: Any) -> None:
    """Give batch normalization the statistics of training images."""
    norms = [one for one in model.layers if isinstance(one, layers.BatchNormalization)]
    if not norms:
        return
    images = job.data.normalise(job.data.train(_SETTLING, job.cell.seed).images)
    for one in norms:
        one.momentum = 0.0
    model(images, training=True)
    for one in norms:
        one.momentum = 0.99


def _conv(**options: Any) -> Any:
    return layers.Conv2D(CHANNELS, 3, padding="same", **options)


_Make = Callable[[Tensor], Tensor]


def _depthwise(x: Tensor) -> Tensor:
    return layers.DepthwiseConv2D(3, padding="same")(x)


def _conv3d(x: Tensor) -> Tensor:
    side = x.shape[1]
    volume = layers.Reshape((side, side, CHANNELS, 1))(x)
    return layers.Reshape((side, side, 2 * CHANNELS))(layers.Conv3D(2, 3, padding="same")(volume))


def _attention(x: Tensor) -> Tensor:
    return layers.MultiHeadAttention(2, CHANNELS // 2)(x, x)


def _dot_product(x: Tensor) -> Tensor:
    return layers.Attention(use_scale=False)([x / CHANNELS**0.25, x, x / CHANNELS**0.25])


def _residual(x: Tensor) -> Tensor:
    return layers.Add()([_conv()(x), x])


def _nested(x: Tensor) -> Tensor:
    inner = keras.Sequential([_conv(), layers.ReLU()], name="inner")
    return _conv()(inner(x))


def _shared(x: Tensor) -> Tensor:
    layer = _conv()
    return layer(layer(x))


def _embedded(inputs: Tensor, side: int) -> Tensor:
    return layers.Embedding(256, 8)(own.Tokens()(inputs))


def _bags(inputs: Tensor, side: int) -> Tensor:
    found = layers.Embedding(256, CHANNELS)(own.Tokens()(inputs))
    return tf.reduce_mean(found, axis=2)


_TOKENS: Dict[str, Callable[[Tensor, int], Tensor]] = {
    "embedding": _embedded,
    "embedding-bag": _bags,
}
_BEFORE: Dict[str, _Make] = {
    "rescaling": lambda x: layers.Rescaling(1 / 255)(x),
    "normalisation": lambda x: layers.Normalization(
        mean=[124.0, 116.0, 104.0], variance=[3364.0, 3249.0, 3306.0]
    )(x),
}
_MIDDLES: Dict[str, _Make] = {
    "conv2d": lambda x: _conv()(x),
    "pointwise": lambda x: layers.Conv2D(CHANNELS, 1)(x),
    "depthwise": _depthwise,
    "grouped": lambda x: _conv(groups=4)(x),
    "dilated": lambda x: _conv(dilation_rate=2)(x),
    "transposed": lambda x: layers.Conv2DTranspose(CHANNELS, 2, strides=2)(x),
    "conv1d": lambda x: layers.Conv1D(CHANNELS, 3, padding="same")(x),
    "conv3d": _conv3d,
    "linear": lambda x: layers.Dense(CHANNELS)(x),
    "matmul": lambda x: tf.matmul(x, x, transpose_b=True),
    "lstm": lambda x: layers.LSTM(CHANNELS, return_sequences=True)(x),
    "gru": lambda x: layers.GRU(CHANNELS, return_sequences=True)(x),
    "multi-head-attention": _attention,
    "scaled-dot-product": _dot_product,
    "layer-norm": lambda x: layers.LayerNormalization()(x),
    "group-norm": lambda x: layers.GroupNormalization(4)(x),
    "instance-norm": lambda x: layers.GroupNormalization(CHANNELS)(x),
    "batch-norm-fused": lambda x: layers.BatchNormalization()(x),
    "batch-norm": lambda x: layers.BatchNormalization()(layers.MaxPooling2D()(x)),
    "relu": lambda x: layers.ReLU()(x),
    "relu6": lambda x: layers.ReLU(6.0)(x),
    "leaky-relu": lambda x: layers.LeakyReLU(0.1)(x),
    "prelu": lambda x: layers.PReLU(
        alpha_initializer=keras.initializers.Constant(0.25), shared_axes=[1, 2]
    )(x),
    "elu": lambda x: layers.ELU()(x),
    "gelu": lambda x: layers.Activation("gelu")(x),
    "silu": lambda x: layers.Activation("swish")(x),
    "hard-swish": lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6),
    "sigmoid": lambda x: layers.Activation("sigmoid")(x),
    "tanh": lambda x: layers.Activation("tanh")(x),
    "softmax": lambda x: layers.Softmax()(x),
    "residual-add": _residual,
    "concatenation": lambda x: layers.Concatenate()([_conv()(x), _conv()(x)]),
    "multiplication": lambda x: layers.Multiply()([_conv()(x), _conv()(x)]),
    "reshape": lambda x: layers.Reshape((x.shape[1], x.shape[2] // 2, 2 * CHANNELS))(x),
    "transpose": lambda x: layers.Permute((2, 1, 3))(x),
    "slice": lambda x: x[..., : CHANNELS // 2],
    "padding": lambda x: layers.ZeroPadding2D(1)(x),
    "mean": lambda x: tf.reduce_mean(x, axis=1, keepdims=True),
    "upsampling-nearest": lambda x: layers.UpSampling2D(2)(x),
    "upsampling-bilinear": lambda x: layers.UpSampling2D(2, interpolation="bilinear")(x),
    "max-pool": lambda x: layers.MaxPooling2D()(x),
    "average-pool": lambda x: layers.AveragePooling2D()(x),
    "global-average-pool": lambda x: layers.GlobalAveragePooling2D(keepdims=True)(x),
    "nested": _nested,
    "subclassed": lambda x: own.Branching(CHANNELS)(x),
    "shared-layer": _shared,
    "dynamic-shape": lambda x: _conv()(x),
    "batch-1": lambda x: _conv()(x),
    "batch-32": lambda x: _conv()(x),
}
