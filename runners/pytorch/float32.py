"""Baseline: float32 without TF32, trained by the cell's recipe, called in eager mode.

lad2023, III-A (ResNet18, SGD); shafique2023, section 4 (three networks, Adam). Trials: one
process a cell. Timed region: every optimizer step and every epoch (training); ``model(batch)``
with the batch in place (inference).
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin, finish_model, time_model
from runners.pytorch.parts.training import Precision, made_model

VARIANTS = {"continued": "trained on from the weights of another float32 training"}
"""By itself: from seeded initial weights."""


def train(job: Job) -> None:
    device = begin(job)
    model, recipe = made_model(job, device, Precision())
    finish_model(job, model, recipe.test_images, "float32")


def infer(job: Job) -> None:
    begin(job)
    with job.phase("build"):
        model = trained_model(job)
    time_model(job, model, "float32")
