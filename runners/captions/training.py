"""Training a captioner, the same for every framework: schedule, order of pictures, events."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from runners.captions.recipes import TrainCaptionerRecipe
from runners.captions.words import chosen, shifted
from runners.job import Job
from runners.training import train

Array = Any

CaptionStep = Callable[[Array, Array, Array, float], float]
"""(pictures float32 NHWC, words read, words to answer int64 (n, length), rate) -> loss in nats:
the mean cross-entropy of the words that are no padding."""


def train_captions(job: Job, recipe: TrainCaptionerRecipe, take_step: CaptionStep) -> None:
    """Run all epochs; a picture with several captions shows one of them in each, drawn by the
    cell's seed.
    """
    generator = np.random.default_rng(job.cell.seed)

    def step(images: Array, labels: Array, rate: float) -> float:
        captions = shifted(chosen(labels, generator))
        return take_step(images, captions.read, captions.right, rate)

    with job.phase("train"):
        train(job, recipe, step)
