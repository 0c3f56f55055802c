"""Training of shafique2023's networks with Adam, in float32 or with Keras' mixed precision.

Variables stay float32. With ``mixed_float16`` the loss is scaled and the gradients scaled back
(LossScaleOptimizer); bfloat16 has float32's range and needs none.
"""

from __future__ import annotations

from typing import Any, List

import tensorflow as tf

from manifests.manifest import Proof
from runners.inference import evaluate
from runners.job import Job
from runners.tensorflow.parts import loss_scaling
from runners.tensorflow.parts.applications import new_model, save_arrays
from runners.tensorflow.parts.graphs import compute_types, proof_of_types
from runners.tensorflow.parts.keras_sessions import call_session
from runners.tensorflow.parts.memory import watching_memory
from runners.tensorflow.parts.tensor_float32 import qualified
from runners.training import AdamRecipe, Array, StepFunction, train

_PROMISED = {"float32": "float32", "mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


def train_application(job: Job, policy: str, promised: str = "") -> None:
    """A whole training cell: build, train, test, save, and the types of the training graph.

    ``promised`` is the type that the technique is named for, where the policy doesn't say.
    """
    recipe = job.recipe(AdamRecipe)
    with job.phase("build"):
        model = new_model(job, policy, recipe.weights)
    job.record("parameters", [model.count_params()])
    with watching_memory(job, "train"):
        with job.phase("trace"):
            step = Step(model, recipe, job)
        if job.cell.protocol != "as-published" and (step.scaled or job.cell.device == "gpu"):
            # A first step on a GPU also tunes cuDNN, in every precision.
            with job.phase("settle"):
                step.settle(job)
        try:
            with job.phase("train"):
                train(job, recipe, step.function())
        finally:
            step.record(job)
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
        self._adam = adam
        float16 = model.get_layer("dense1").compute_dtype == "float16"
        self._optimizer = tf.keras.mixed_precision.LossScaleOptimizer(adam) if float16 else adam
        self.count = loss_scaling.StepCount(self._optimizer)
        self.scaled = self.count.scaled
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
        scale = self._optimizer.loss_scale if self.scaled else None
        with tf.GradientTape() as tape:
            loss = self._loss(labels, self._model(images, training=True))
            target = self._optimizer.get_scaled_loss(loss) if self.scaled else loss
        gradients = tape.gradient(target, variables)
        if self.scaled:
            gradients = self._optimizer.get_unscaled_gradients(gradients)
        self._optimizer.apply_gradients(zip(gradients, variables))
        if self.scaled:
            self.count.count(scale)
        return loss

    def function(self) -> StepFunction:
        """For runners.training; Adam's rate does not change."""

        self.count.begin()
        return lambda images, labels, learning_rate: self._one(images, labels)

    def _one(self, images: Array, labels: Array) -> float:
        self.count.taken += 1
        return float(self._traced(tf.constant(images), tf.constant(labels)).numpy())

    def settle(self, job: Job) -> None:
        """Untimed steps on a batch until one applies; weights and moments stay."""
        images, labels = loss_scaling.some_batch(job)
        loss_scaling.until_one_applies(
            job, self.count, lambda: self._one(images, labels), self._variables()
        )

    def _variables(self) -> List[Any]:
        """Weights, Adam's moments and its step count; not the scale."""
        return [*self._model.variables, *self._adam.variables()]

    def record(self, job: Job) -> None:
        """How loss scaling went, where there is any."""
        if self.scaled:
            loss_scaling.record(job, self.count)

    def proof(self, promised: str) -> Proof:
        """The types that the convolutions and products of the step compute in."""
        types = compute_types(self.graph.graph.as_graph_def())
        return proof_of_types(types, promised, "type attributes of the training graph")
