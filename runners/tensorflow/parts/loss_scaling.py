"""Keras' scaling of the loss for float16, and which steps it skipped.

LossScaleOptimizer begins at 32768. A step whose gradients overflow halves the scale and leaves
the weights alone: it runs no Adam, so its time is too short to stand beside float32's. Rigorous
cells therefore take untimed steps until one applies; as published every step counts, and the
manifest says how many were skipped.
"""

from __future__ import annotations

from typing import Any, Callable, List

import tensorflow as tf

from manifests.manifest import Flag
from runners.data import Images, training_batches
from runners.job import Job

MOST_UNTIMED_STEPS = 40  # from 32768 to 1 are 15 halvings
SKIPPED_LIMIT = 0.01  # Keras doubles the scale after 2,000 good steps, and may then skip one


class StepCount:
    """Steps taken, and steps applied as the graph itself counts them.

    Keras counts ``iterations`` up for a skipped step too. What tells is its dynamic counter: a
    skipped step sets it to 0, and an applied one does that only where it doubles the scale.
    """

    def __init__(self, optimizer: Any) -> None:
        self._optimizer = optimizer
        self._applied = tf.Variable(0, trainable=False, dtype=tf.int64)
        self.scaled = hasattr(optimizer, "loss_scale")
        self.taken = 0

    def begin(self) -> None:
        self.taken = 0
        self._applied.assign(0)

    def count(self, scale_before: Any) -> None:
        """To be called in the graph, after the gradients; ``scale_before`` was read before."""
        doubled = self._optimizer.loss_scale > scale_before
        applied = tf.logical_or(self._optimizer.dynamic_counter > 0, doubled)
        self._applied.assign_add(tf.cast(applied, tf.int64))

    @property
    def applied(self) -> int:
        return int(self._applied.numpy()) if self.scaled else self.taken

    @property
    def scale(self) -> float:
        return float(self._optimizer.loss_scale.numpy())


def some_batch(job: Job) -> Images:
    """A batch of the images that will be trained on, float32 with int64 labels."""
    part = job.data.train(job.cell.batch_size, job.cell.seed)
    return next(training_batches(job.data, part, job.cell.batch_size, 0, augmented=False))


def until_one_applies(
    job: Job, count: StepCount, take_step: Callable[[], Any], variables: List[Any]
) -> None:
    """Untimed steps until one applies; then ``variables`` are what they were, the scale is not."""
    before = [variable.numpy() for variable in variables]
    while not count.applied and count.taken < MOST_UNTIMED_STEPS:
        take_step()
    if not count.applied:
        job.warn(f"none of {count.taken} untimed steps applied: their gradients are not finite")
    for variable, value in zip(variables, before):
        variable.assign(value)


def record(job: Job, count: StepCount) -> None:
    """``loss_scale`` at the end and ``applied_steps``, and a flag where too many were skipped."""
    job.record("loss_scale", [count.scale], source="after the last timed step")
    job.record("applied_steps", [count.applied], source=f"of {count.taken} timed steps")
    skipped = count.taken - count.applied
    if skipped > SKIPPED_LIMIT * count.taken:
        detail = f"{skipped} of {count.taken} timed steps were skipped by loss scaling"
        job.flag(Flag(name="skipped-steps", detail=detail))
