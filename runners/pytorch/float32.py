"""Baseline: float32 without TF32, trained by the cell's recipe, called in eager mode.

lad2023, III-A (ResNet18, SGD); shafique2023, section 4 (three networks, Adam). Trials: one
process a cell. Timed region: every optimizer step and every epoch (training); ``model(batch)``
with the batch in place (inference).
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.models import new_model, save_model, trained_model
from runners.pytorch.parts.steps import begin, finish_model, time_model
from runners.pytorch.parts.training import train_model
from runners.training import training_recipe


def train(job: Job) -> None:
    device = begin(job)
    recipe = training_recipe(job)
    with job.phase("build"):
        model = new_model(job).to(device)
    job.record("parameters", [sum(weight.numel() for weight in model.parameters())])
    train_model(job, model, recipe, device)
    model.eval()
    save_model(job, model)
    finish_model(job, model, recipe.test_images, "float32")


def infer(job: Job) -> None:
    begin(job)
    with job.phase("build"):
        model = trained_model(job)
    time_model(job, model, "float32")
