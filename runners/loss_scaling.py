"""Loss scaling in float16 training (Micikevicius 2018, section 3.2): which steps were applied.

Gradients that overflow make the scaler halve its scale and leave the optimizer out. Such a step
is shorter than one that updates the weights, so its time is no training time.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Tuple

from manifests.manifest import Flag
from runners.job import Job

# Scales start at 2^16 or 2^15, and ResNet-50 on pictures of 32 px has been seen to need 2^-16.
LONGEST_WARM_UP = 80
REHEARSED_STEPS = 8
# Scalers double a scale after 2,000 good steps, and may then skip one.
SKIPPED_LIMIT = 0.01


class Optimizer(NamedTuple):
    """What a framework tells of its optimizer.

    ``applied``: how many updates it has made. ``restart``: weights and optimizer as they were
    when this was made, the loss scale as it is. ``loss_scale``: the factor of the next step's
    loss, where one is used.
    """

    applied: Callable[[], int]
    restart: Callable[[], None]
    loss_scale: Optional[Callable[[], float]] = None


Batches = Iterator[Tuple[Any, Any]]


def warm_up(
    take_step: Callable[[Any, Any], Any], first_batches: Callable[[], Batches], optimizer: Optimizer
) -> int:
    """Untimed steps until the first few, from the initial weights on, apply one after another.

    The scale that they need stays; everything else is as it was. Where no loss is scaled one
    step is enough, so that every precision starts equally warm. Returns how many steps it took.
    """
    needed = REHEARSED_STEPS if optimizer.loss_scale else 1
    taken = 0
    while taken < LONGEST_WARM_UP:
        every_one_applied = True
        for images, labels in itertools.islice(first_batches(), needed):
            before = optimizer.applied()
            take_step(images, labels)
            taken += 1
            if optimizer.applied() == before:
                every_one_applied = False
                break
        optimizer.restart()
        if every_one_applied:
            break
    return taken


class ScaledSteps:
    """The loss scale of every timed step, and how many of them were applied."""

    def __init__(self, optimizer: Optional[Optimizer]) -> None:
        self._optimizer = optimizer
        self._before = optimizer.applied() if optimizer else 0
        self._scales: List[float] = []

    def begin_step(self) -> None:
        """Called before a step's clock starts."""
        if self._optimizer and self._optimizer.loss_scale:
            self._scales.append(self._optimizer.loss_scale())

    def record(self, job: Job, timed: int) -> None:
        """Records ``loss_scale`` and ``applied_steps`` where a loss was scaled; flags skips."""
        if not self._optimizer or not self._optimizer.loss_scale:
            return
        total = self._optimizer.applied()
        applied = total - self._before
        job.record("loss_scale", self._scales, source="the factor of each timed step's loss")
        source = "updates that the optimizer made"
        job.record("applied_steps", [applied], label="timed", items=max(1, timed), source=source)
        job.record("applied_steps", [total], label="total", source=f"{source}, warm-up included")
        if timed - applied > SKIPPED_LIMIT * timed:
            job.flag(skipped_steps(timed - applied, timed))


def skipped_steps(skipped: int, timed: int) -> Flag:
    """The flag of a training whose timed steps were not all applied."""
    detail = f"{skipped} of {timed} timed steps were skipped by loss scaling"
    if skipped == timed:
        detail += "; the weights are the initial ones"
    return Flag(name="skipped-steps", detail=detail)
