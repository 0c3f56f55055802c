"""What Keras tells of an optimizer that scales its loss, for runners.loss_scaling.

LossScaleOptimizer begins at 32768. A step whose gradients overflow halves the scale, leaves the
weights alone and runs no Adam. ``iterations`` goes up all the same, so the graph counts itself.
"""

from __future__ import annotations

from typing import Any, List

import tensorflow as tf

from runners.loss_scaling import Optimizer


class AppliedSteps:
    """Updates of the weights, counted in the graph of the step."""

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer
        self._count = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.scaled = hasattr(optimizer, "loss_scale")

    def scale(self) -> Any:
        """The scale as a tensor, read before the gradients are applied; None without one."""
        return self._optimizer.loss_scale if self.scaled else None

    def count(self, scale_before: Any) -> None:
        """After the gradients. A skipped step sets Keras' dynamic counter to 0, and an applied
        one does that only where it doubles the scale.
        """
        if scale_before is None:
            self._count.assign_add(1)
            return
        doubled = self._optimizer.loss_scale > scale_before
        applied = tf.logical_or(self._optimizer.dynamic_counter > 0, doubled)
        self._count.assign_add(tf.cast(applied, tf.int64))

    def watched(self, model: Any) -> Optimizer:
        """What the training loop asks. Adam's moments and step count go back with the weights;
        they exist as soon as the step was traced.
        """
        inner = getattr(self._optimizer, "inner_optimizer", self._optimizer)
        variables: List[Any] = [*model.variables, *inner.variables()]
        initial = [variable.numpy() for variable in variables]

        def restart() -> None:
            for variable, value in zip(variables, initial):
                variable.assign(value)

        scale = (lambda: float(self._optimizer.loss_scale.numpy())) if self.scaled else None
        return Optimizer(lambda: int(self._count.numpy()), restart, scale)
