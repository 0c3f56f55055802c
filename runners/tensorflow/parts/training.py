"""One optimizer step in TensorFlow, and the training around it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from runners.job import Job
from runners.training import Array, StepFunction, TrainRecipe, train


def train_model(job: Job, model: Any, recipe: TrainRecipe) -> None:
    """Train ``model`` in place by the recipe; see runners.training.train.

    The graph is traced beforehand, so that no timed step holds the tracing.
    """
    with job.phase("trace"):
        take_step = step_function(model, recipe, job.cell.batch_size, job.cell.image_size)
    with job.phase("train"):
        train(job, recipe, take_step)


def step_function(model: Any, recipe: TrainRecipe, batch_size: int, size: int) -> StepFunction:
    """A compiled step: gradients, then ``Momentum``."""
    loss_function = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    momentum = Momentum(model.trainable_variables, recipe)

    @tf.function(
        input_signature=[
            tf.TensorSpec((batch_size, size, size, 3), tf.float32),
            tf.TensorSpec((batch_size,), tf.int64),
        ]
    )
    def graph_step(images: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_function(labels, model(images, training=True))
        momentum.apply(tape.gradient(loss, momentum.variables))
        return loss

    graph_step.get_concrete_function()

    def take_step(images: Array, labels: Array, learning_rate: float) -> float:
        momentum.learning_rate.assign(learning_rate)
        return float(graph_step(tf.constant(images), tf.constant(labels)).numpy())

    return take_step


class Momentum:
    """torch.optim.SGD's arithmetic: clip by the global norm, add the L2 decay g += d w, then
    v = m v + g and w -= rate v.

    Keras' own SGD keeps the rate inside v, which is another trajectory as soon as the rate
    changes (Sutskever 2013 against the form that torch documents).
    """

    def __init__(self, variables: Any, recipe: TrainRecipe) -> None:
        self.variables = list(variables)
        self.learning_rate = tf.Variable(recipe.learning_rate, trainable=False, dtype=tf.float32)
        self._recipe = recipe
        self._velocities = [tf.Variable(tf.zeros_like(v), trainable=False) for v in variables]

    def apply(self, gradients: Any) -> None:
        recipe = self._recipe
        clipped, _ = tf.clip_by_global_norm(gradients, recipe.clip_norm)
        for variable, velocity, gradient in zip(self.variables, self._velocities, clipped):
            decayed = gradient + recipe.weight_decay * variable
            velocity.assign(recipe.momentum * velocity + decayed)
            variable.assign_sub(self.learning_rate * velocity)
