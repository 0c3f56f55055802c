"""The captioner of runners.models.captioner as a Keras 2 functional model.

Every layer has the name that it has everywhere. What Keras has no layer for, attention's products
and the addition of a table, are layers of our own, so that each is one component.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import tensorflow as tf

from runners.models.captioner import EPSILON, Captioner, later_words, position_table

keras = tf.keras  # Keras 2 in every version: parts.setup sees to it
layers = keras.layers
Layer: Any = layers.Layer
Tensor = Any


class PositionalEncoding(Layer):
    """x + a fixed table, for every item of a batch."""

    def __init__(self, count: int, width: int, **options: Any) -> None:
        super().__init__(**options)
        self.count, self.width = count, width

    def call(self, x: Tensor) -> Tensor:
        return x + tf.constant(position_table(self.count, self.width))

    def get_config(self) -> Dict[str, Any]:
        return {**super().get_config(), "count": self.count, "width": self.width}


class Scores(Layer):
    """softmax(query keyᵀ / sqrt(width of a head)) value, by heads (Vaswani 2017, section 3.2)."""

    def __init__(self, heads: int, masked: bool, **options: Any) -> None:
        super().__init__(**options)
        self.heads, self.masked = heads, masked

    def call(self, inputs: List[Tensor]) -> Tensor:
        query, key, value = map(self._parted, inputs)
        scores = tf.matmul(query, key, transpose_b=True) * int(query.shape[-1]) ** -0.5
        if self.masked:
            scores = scores + tf.constant(later_words(int(query.shape[-2])))
        mixed = tf.matmul(tf.nn.softmax(scores), value)
        length, width = inputs[0].shape[1:]
        return tf.reshape(tf.transpose(mixed, (0, 2, 1, 3)), (-1, length, width))

    def _parted(self, x: Tensor) -> Tensor:
        """(n, words, width) -> (n, heads, words, each)."""
        count, width = x.shape[1:]
        parted = tf.reshape(x, (-1, count, self.heads, width // self.heads))
        return tf.transpose(parted, (0, 2, 1, 3))

    def get_config(self) -> Dict[str, Any]:
        return {**super().get_config(), "heads": self.heads, "masked": self.masked}


OWN: Dict[str, Any] = {"PositionalEncoding": PositionalEncoding, "Scores": Scores}


def build(network: Captioner, batch: Optional[int] = None) -> Any:
    """float32 pictures (n, h, w, 3), int32 words (n, length) -> logits (n, length, words).

    ``batch``: the only size of batches, for a converter that then knows every shape.
    """
    side = network.image_size
    pictures = layers.Input((side, side, 3), batch, name="pictures")
    words = layers.Input((network.length,), batch, dtype="int32", name="words")
    seen = _encoded(network, pictures)
    x = layers.Embedding(network.words, network.width, name="embedding")(words)
    x = _placed(network, "token_position", network.length, x)
    for block in range(network.blocks):
        x = _block(network, f"block{block}", x, seen)
    logits = layers.Dense(network.words, name="head")(x)
    return keras.Model([pictures, words], logits, name="captioner")


def _encoded(network: Captioner, pictures: Tensor) -> Tensor:
    x = pictures
    for one in network.convolutions:
        x = layers.ZeroPadding2D(1, name=f"{one.name}_pad")(x)
        x = layers.Conv2D(one.outputs, 3, strides=one.stride, name=one.name)(x)
        x = layers.ReLU(name=f"{one.name}_relu")(x)
    x = layers.Reshape((network.positions, network.width), name="picture_rows")(x)
    return _placed(network, "picture_position", network.positions, x)


def _placed(network: Captioner, name: str, count: int, x: Tensor) -> Tensor:
    if not network.has("positional-encoding"):
        return x
    return PositionalEncoding(count, network.width, name=name)(x)


def _block(network: Captioner, name: str, x: Tensor, seen: Tensor) -> Tensor:
    if network.has("self-attention"):
        x = _joined(network, name, 1, x, _attention(network, f"{name}_self", x, x, True))
    x = _joined(network, name, 2, x, _attention(network, f"{name}_cross", x, seen, False))
    if not network.has("feed-forward"):
        return x
    inner = layers.Dense(network.inner, name=f"{name}_feed_inner")(x)
    inner = layers.ReLU(name=f"{name}_feed_inner_relu")(inner)
    outer = layers.Dense(network.width, name=f"{name}_feed_outer")(inner)
    return _joined(network, name, 3, x, outer)


def _joined(network: Captioner, name: str, place: int, x: Tensor, made: Tensor) -> Tensor:
    if network.has("residual-additions"):
        made = layers.Add(name=f"{name}_add{place}")([x, made])
    if network.has("layer-normalisation"):
        made = layers.LayerNormalization(epsilon=EPSILON, name=f"{name}_norm{place}")(made)
    return made


def _attention(network: Captioner, name: str, x: Tensor, seen: Tensor, masked: bool) -> Tensor:
    width = network.width
    query = layers.Dense(width, name=f"{name}_query")(x)
    key = layers.Dense(width, name=f"{name}_key")(seen)
    value = layers.Dense(width, name=f"{name}_value")(seen)
    mixed = Scores(network.heads, masked, name=f"{name}_scores")([query, key, value])
    return layers.Dense(width, name=f"{name}_output")(mixed)


_ORDER = ("kernel", "bias")
_OF_NORMALISATION = ("gamma", "beta")


def load_arrays(model: Any, arrays: Dict[str, Any]) -> None:
    """Copy arrays named as in runners.models.captioner into ``model``."""
    for name in {key.rpartition(".")[0] for key in arrays}:
        kinds = (*_ORDER, *_OF_NORMALISATION)
        found = [arrays[f"{name}.{kind}"] for kind in kinds if f"{name}.{kind}" in arrays]
        model.get_layer(name).set_weights(found)


def arrays_of(model: Any) -> Dict[str, Any]:
    """The weights of ``model``, named and laid out as in runners.models.captioner."""
    found: Dict[str, Any] = {}
    for layer in model.layers:
        normalises = isinstance(layer, layers.LayerNormalization)
        kinds = _OF_NORMALISATION if normalises else _ORDER
        for kind, value in zip(kinds, layer.get_weights()):
            found[f"{layer.name}.{kind}"] = value
    return found
