"""Baseline: nearest class mean, in float32.

stripes2026, section 2. Trials: one process a cell. Timed region: the distances of a batch in
place to the mean of every class.
"""

from __future__ import annotations

import numpy as np

from runners.arrays.parts.means import TrainRecipe, class_means, flat, session, trained
from runners.inference import evaluate, infer_recipe, time_inference
from runners.job import Job


def train(job: Job) -> None:
    recipe = job.recipe(TrainRecipe)
    part = job.data.train(recipe.train_images, job.cell.seed)
    with job.phase("train"):
        means = class_means(flat(job.data.normalise(part.images)), part.labels)
    np.save(job.folder / "means.npy", means)
    job.artifact("means.npy", "weights")
    evaluate(job, session(lambda batch: batch @ means.T), recipe.test_images, job.cell.batch_size)


def infer(job: Job) -> None:
    with job.phase("build"):
        means = trained(job)
    made = session(lambda batch: batch @ means.T)
    tested = infer_recipe(job).test_images
    if tested is not None:
        evaluate(job, made, tested, job.cell.batch_size)
    time_inference(job, made)
