"""Training of shafique2023's networks with Adam, in float32 or with Keras' mixed precision.

Variables stay float32. With ``mixed_float16`` the loss is scaled and the gradients scaled back
(LossScaleOptimizer); bfloat16 has float32's range and needs none.
"""

from __future__ import annotations

from typing import Any, Optional

import tensorflow as tf

from manifests.manifest import Proof
from runners.inference import evaluate
from runners.job import Job
from runners.loss_scaling import Optimizer
from runners.tensorflow.parts.applications import new_model, save_arrays
from runners.tensorflow.parts.graphs import compute_types, proof_of_types
from runners.tensorflow.parts.keras_sessions import call_session
from runners.tensorflow.parts.loss_scaling import AppliedSteps
from runners.tensorflow.parts.memory import watching_allocator
from runners.tensorflow.parts.tensor_float32 import qualified
from runners.training import AdamRecipe, Array, StepFunction, find_scale, train

_PROMISED = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


def train_application(job: Job, policy: str, promised: str = "") -> None:
    """A whole training cell: build, train, test, save, and the types of the training graph.

    ``promised`` is the type that the technique is named for, where the policy doesn't say.
    """
    recipe = job.recipe(AdamRecipe)
    with job.phase("build"):
        model = new_model(job, policy, recipe.weights)
    job.record("parameters", [model.count_params()])
    with watching_allocator(job):
        with job.phase("trace"):
            step = Step(model, recipe, job)
        optimizer = step.optimizer(job)
        if optimizer is not None:
            find_scale(job, recipe, step.function(), optimizer)
        with job.phase("train"):
            train(job, recipe, step.function(), optimizer)
    if recipe.keep_weights:
        save_arrays(job, model)
    evaluate(job, call_session(model), recipe.test_images, job.cell.batch_size)
    job.proof = qualified(job, step.proof(promised or _PROMISED[policy]))


class Step:
    """One traced optimizer step on batches of the cell's size."""

    def __init__(self, model: Any, recipe: AdamRecipe, job: Job) -> None:
        self._model = model
        self._loss = tf.keras.losses.SparseCategoricalCrossentropy()
        adam = tf.keras.optimizers.Adam(recipe.learning_rate, epsilon=recipe.epsilon)
        float16 = model.get_layer("dense1").compute_dtype == "float16"
        self._optimizer = tf.keras.mixed_precision.LossScaleOptimizer(adam) if float16 else adam
        self._applied = AppliedSteps(self._optimizer)
        batch, size = job.cell.batch_size, job.cell.image_size
        traced = tf.function(
            self._take,
            input_signature=[
                tf.TensorSpec((batch, size, size, 3), tf.float32),
                tf.TensorSpec((batch,), tf.int64),
            ],
        )
        self.graph = traced.get_concrete_function()
        self._traced = traced

    def _take(self, images: Any, labels: Any) -> Any:
        variables = self._model.trainable_variables
        scaled, scale = self._applied.scaled, self._applied.scale()
        with tf.GradientTape() as tape:
            loss = self._loss(labels, self._model(images, training=True))
            target = self._optimizer.get_scaled_loss(loss) if scaled else loss
        gradients = tape.gradient(target, variables)
        if scaled:
            gradients = self._optimizer.get_unscaled_gradients(gradients)
        self._optimizer.apply_gradients(zip(gradients, variables))
        self._applied.count(scale)
        return loss

    def function(self) -> StepFunction:
        """For runners.training; Adam's rate does not change."""

        def take_step(images: Array, labels: Array, learning_rate: float) -> float:
            return float(self._traced(tf.constant(images), tf.constant(labels)).numpy())

        return take_step

    def optimizer(self, job: Job) -> Optional[Optimizer]:
        """What is watched: a scaled loss anywhere, and on a GPU every precision, so that what the
        first step alone has to do (cuDNN is tuned, for one) is in none of their times.
        """
        if not self._applied.scaled and job.cell.device != "gpu":
            return None
        return self._applied.watched(self._model)

    def proof(self, promised: str) -> Proof:
        """The types that the convolutions and products of the step compute in."""
        types = compute_types(self.graph.graph.as_graph_def())
        return proof_of_types(types, promised, "type attributes of the training graph")
