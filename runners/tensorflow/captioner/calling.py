"""How captioners in TensorFlow are called and trained: Keras models, and .tflite files."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np
import tensorflow as tf

from runners.captions.evaluation import Answer
from runners.captions.recipes import TrainCaptionerRecipe
from runners.captions.training import CaptionStep
from runners.captions.words import PAD
from runners.failures import Unsupported, first_line
from runners.tensorflow.parts import litert

Array = Any


def answering(model: Any) -> Answer:
    """A Keras model as one graph, from arrays to arrays."""
    graph = tf.function(lambda pictures, words: model([pictures, words], training=False))

    def answer(pictures: Array, words: Array) -> Array:
        placed = tf.constant(pictures), tf.constant(words.astype(np.int32))
        found: Array = graph(*placed).numpy()
        return found

    return answer


def step_function(model: Any, recipe: TrainCaptionerRecipe, batch: int, side: int) -> CaptionStep:
    """A compiled step: forward, loss, backward, Adam."""
    adam = tf.keras.optimizers.Adam(recipe.learning_rate, epsilon=recipe.epsilon)
    length = int(model.output_shape[1])
    words = tf.TensorSpec((batch, length), tf.int32)

    @tf.function(input_signature=[tf.TensorSpec((batch, side, side, 3), tf.float32), words, words])
    def graph_step(pictures: Any, read: Any, right: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = model([pictures, read], training=True)
            counted = tf.cast(tf.not_equal(right, PAD), tf.float32)
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(right, logits)
            loss = tf.reduce_sum(each * counted) / tf.reduce_sum(counted)
        gradients = tape.gradient(loss, model.trainable_variables)
        adam.apply_gradients(zip(gradients, model.trainable_variables))
        return loss

    def take_step(pictures: Array, read: Array, right: Array, rate: float) -> float:
        adam.learning_rate = rate
        numbers = (tf.constant(one.astype(np.int32)) for one in (read, right))
        return float(graph_step(tf.constant(pictures), *numbers).numpy())

    return take_step


class File:
    """A .tflite file for batches of one size, in an interpreter."""

    def __init__(self, content: bytes, threads: int) -> None:
        self.interpreter = litert.of_content(content, threads)
        try:
            self.interpreter.allocate_tensors()
        except RuntimeError as error:
            raise Unsupported(f"LiteRT refuses it: {first_line(error)}") from error
        entries = self.interpreter.get_input_details()
        integer = [np.issubdtype(one["dtype"], np.integer) for one in entries]
        if len(entries) != 2 or sum(integer) != 1:
            found = ", ".join(f"{one['name']} {np.dtype(one['dtype']).name}" for one in entries)
            raise Unsupported(f"expected pictures in float and words as numbers, found {found}")
        self._words, self._pictures = sorted(entries, key=lambda one: integer[entries.index(one)])[
            ::-1
        ]

    def place(self, pictures: Array, words: Array) -> None:
        """Put a batch in."""
        self.interpreter.set_tensor(self._pictures["index"], pictures.astype(np.float32))
        self.interpreter.set_tensor(self._words["index"], words.astype(self._words["dtype"]))

    def answer(self, pictures: Array, words: Array) -> Array:
        """float32 logits (n, length, words)."""
        self.place(pictures, words)
        self.interpreter.invoke()
        exit_ = self.interpreter.get_output_details()[0]
        found: Array = self.interpreter.get_tensor(exit_["index"])
        return found

    @property
    def call(self) -> Callable[[], None]:
        """``invoke()`` alone, on what lies there."""
        found: Callable[[], None] = self.interpreter.invoke
        return found
