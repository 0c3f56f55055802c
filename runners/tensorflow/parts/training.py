"""One optimizer step in TensorFlow, and the training around it."""

from __future__ import annotations

from typing import Any

import tensorflow as tf
import tf_keras as keras

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
    """SGD with momentum, L2 weight decay and clipping by the global norm.

    The arithmetic is torch.optim.SGD's: clip, add the decay, then momentum.
    """
    optimizer = keras.optimizers.SGD(recipe.learning_rate, momentum=recipe.momentum)
    optimizer.build(model.trainable_variables)
    loss_function = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function(
        input_signature=[
            tf.TensorSpec((batch_size, size, size, 3), tf.float32),
            tf.TensorSpec((batch_size,), tf.int64),
        ]
    )
    def graph_step(images: Any, labels: Any) -> Any:
        variables = model.trainable_variables
        with tf.GradientTape() as tape:
            loss = loss_function(labels, model(images, training=True))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), recipe.clip_norm)
        decayed = [g + recipe.weight_decay * v for g, v in zip(gradients, variables)]
        optimizer.apply_gradients(zip(decayed, variables))
        return loss

    graph_step.get_concrete_function()

    def take_step(images: Array, labels: Array, learning_rate: float) -> float:
        optimizer.learning_rate.assign(learning_rate)
        return float(graph_step(tf.constant(images), tf.constant(labels)).numpy())

    return take_step
