"""Training, the same for every framework: schedule, order of images, timing, events.

A framework gives one function that takes a step; everything around it is here, so that two
frameworks differ in nothing but how they compute that step.
"""

from __future__ import annotations

import itertools
import time
from typing import Any, Callable, Iterator, List, Literal, NamedTuple, Optional, Union

import msgspec

from runners.data import Images, training_batches
from runners.job import Job
from runners.loss_scaling import Optimizer, ScaledSteps, warm_up
from runners.protocols import controlled

Array = Any
StepFunction = Callable[[Array, Array, float], float]
"""(images float32 NHWC, labels int64, learning rate) -> loss in nats; returns when finished."""


class TrainRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """SGD with milestones. ``milestones`` and ``warm_up`` are shares of all steps, 0 ... 1.

    ``keep_weights`` is False where the steps' times are all that is wanted: no cell starts from
    such a training. ``evaluate`` is False where its accuracy is another cell's affair.
    ``memory_limit_bytes`` is what the process may have (0: all there is), see machine.memory_limit.
    """

    epochs: int
    train_images: int
    test_images: int
    learning_rate: float
    momentum: float
    weight_decay: float
    clip_norm: float
    warm_up: float
    milestones: List[float]
    decay: float
    keep_weights: bool = True
    evaluate: bool = True
    memory_limit_bytes: int = 0


class AdamRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Adam at one rate (Kingma 2015, betas 0.9 and 0.999). ``channels_last``: PyTorch's layout.

    ``steps`` ends an epoch early (0: never). ``weights``: what the layers before the head start
    from, ``imagenet`` or ``none``. ``keep_weights`` is False where no cell starts from them.
    ``memory_limit_bytes``: as above.
    """

    optimizer: Literal["adam"]
    epochs: int
    train_images: int
    test_images: int
    learning_rate: float
    epsilon: float = 1e-7
    augment: bool = False
    channels_last: bool = False
    steps: int = 0
    weights: Literal["imagenet", "none"] = "none"
    keep_weights: bool = True
    memory_limit_bytes: int = 0


class FallingAdamRecipe(AdamRecipe, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Adam whose rate falls in equal steps to the share ``falls_to`` of itself.

    Weights of one bit flip at any rate; they come to rest as it falls.
    """

    falls_to: float = 1.0


Recipe = Union[TrainRecipe, AdamRecipe]


def training_recipe(job: Job) -> Recipe:
    """The cell's recipe, by its key ``optimizer``. Raises msgspec.ValidationError."""
    if "optimizer" in job.cell.recipe:
        return job.recipe(AdamRecipe)
    return job.recipe(TrainRecipe)


class TrainLog(NamedTuple):
    """Seconds of every step, seconds of every epoch, mean loss of every epoch in nats."""

    step_s: List[float]
    epoch_s: List[float]
    losses: List[float]
    scaled: ScaledSteps


def learning_rate_at(recipe: Recipe, step: int, steps: int) -> float:
    """The rate of step ``step`` (from 0) of ``steps``: linear warm-up, then milestones."""
    if isinstance(recipe, FallingAdamRecipe):
        return recipe.learning_rate * (1 - (1 - recipe.falls_to) * step / max(1, steps - 1))
    if isinstance(recipe, AdamRecipe):
        return recipe.learning_rate
    rate = recipe.learning_rate
    for milestone in recipe.milestones:
        if step >= milestone * steps:
            rate *= recipe.decay
    ramp = recipe.warm_up * steps
    return rate * min(1.0, (step + 1) / ramp) if ramp >= 1 else rate


def find_scale(job: Job, recipe: Recipe, take_step: StepFunction, optimizer: Optimizer) -> None:
    """Before timing, untimed steps until the loss scale fits: a phase ``warm-up`` of its own.

    As shafique2023 published there is none: the authors timed from the first step on.
    """
    if not controlled(job.cell.protocol):
        return
    part = job.data.train(recipe.train_images, job.cell.seed)
    most = _steps_per_epoch(len(part.labels), job.cell.batch_size, recipe)
    with job.phase("warm-up"):
        warm_up(
            lambda images, labels: take_step(images, labels, recipe.learning_rate),
            lambda: itertools.islice(_batches(job, recipe, part, 0), most),
            optimizer,
        )


def train(
    job: Job, recipe: Recipe, take_step: StepFunction, optimizer: Optional[Optimizer] = None
) -> None:
    """Run all epochs; records train_step_s, train_epoch_s and train_loss, also when cut off.

    With ``optimizer``, also which steps loss scaling skipped. Raises FloatingPointError when
    the loss is no longer a number.
    """
    part = job.data.train(recipe.train_images, job.cell.seed)
    batch = job.cell.batch_size
    per_epoch = _steps_per_epoch(len(part.labels), batch, recipe)
    if not per_epoch * recipe.epochs:
        raise ValueError("the recipe has no epochs: there is nothing to train")
    left_out = len(part.labels) % batch
    if len(part.labels) < batch:
        job.warn(f"{len(part.labels)} training images are repeated to fill a batch of {batch}")
    elif left_out and per_epoch == len(part.labels) // batch:
        job.warn(f"{left_out} of {len(part.labels)} images fill no batch and sit out each epoch")
    log = TrainLog([], [], [], ScaledSteps(optimizer))
    try:
        for epoch in range(recipe.epochs):
            _epoch(job, recipe, take_step, part, epoch, log)
    finally:
        log.scaled.record(job, len(log.step_s))
        job.record("train_step_s", log.step_s, items=batch)
        job.record("train_epoch_s", log.epoch_s, items=per_epoch * batch)
        job.record("train_loss", log.losses)


def _steps_per_epoch(images: int, batch: int, recipe: Recipe) -> int:
    """Whole batches, one at least; as many as the recipe's ``steps`` where it has them."""
    most = recipe.steps if isinstance(recipe, AdamRecipe) else 0
    whole = max(1, images // batch)
    return min(whole, most or whole)


def _epoch(
    job: Job, recipe: Recipe, take_step: StepFunction, part: Images, epoch: int, log: TrainLog
) -> None:
    per_epoch = _steps_per_epoch(len(part.labels), job.cell.batch_size, recipe)
    steps = per_epoch * recipe.epochs
    total = 0.0
    begin = time.perf_counter()
    for images, labels in itertools.islice(_batches(job, recipe, part, epoch), per_epoch):
        log.scaled.begin_step()
        start = time.perf_counter()
        loss = take_step(images, labels, learning_rate_at(recipe, len(log.step_s), steps))
        log.step_s.append(time.perf_counter() - start)
        total += loss
        _report(job, log.step_s, steps, loss)
    log.epoch_s.append(time.perf_counter() - begin)
    log.losses.append(total / per_epoch)
    job.events.epoch(epoch + 1, recipe.epochs, log.losses[-1])


def _batches(job: Job, recipe: Recipe, part: Images, epoch: int) -> Iterator[Images]:
    augmented = recipe.augment if isinstance(recipe, AdamRecipe) else True
    return training_batches(job.data, part, job.cell.batch_size, _seed(job, epoch), augmented)


def _seed(job: Job, epoch: int) -> int:
    return job.cell.seed * 100_003 + epoch


def _report(job: Job, step_s: List[float], steps: int, loss: float) -> None:
    if loss != loss or loss in (float("inf"), float("-inf")):
        raise FloatingPointError(f"the loss became {loss} at step {len(step_s)} of {steps}")
    job.events.step(len(step_s), steps, loss, job.cell.batch_size / step_s[-1])
