"""The features that are layers of one's own in Keras."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

keras = tf.keras


class Tokens(keras.layers.Layer):  # type: ignore[misc,name-defined,unused-ignore]
    """The first channel of pictures with values 0 ... 255 as integers, (n, h, w)."""

    def call(self, x: Any) -> Any:
        return tf.cast(x[..., 0], tf.int32)


class Branching(keras.Model):  # type: ignore[misc,name-defined,unused-ignore]
    """A class of one's own whose code looks at the shape of what it gets."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.convolution = keras.layers.Conv2D(channels, 3, padding="same")

    def call(self, x: Any) -> Any:
        return self.convolution(x) if x.shape[1] > 1 else x
