"""torch's and torchao's own quantizers and casts beside shafique2023's equations (section 3).

On seeded random tensors, and on weights and activations of the trained network: which equation
each follows, and to how many integers and units in the last place; Equation 12's rounding and
clipping by calibrator; what float16 flushes of the gradients of a real step, without and with
loss scaling (section 3.7.2). Nothing is timed.
"""

from __future__ import annotations

import torch

from runners.arithmetic.gradient_records import record_gradients
from runners.arithmetic.quantizer_trial import Sample
from runners.arithmetic.random_tensors import random_tensors
from runners.arithmetic.trial_records import (
    ArithmeticRecipe,
    Details,
    record_casts,
    record_errors,
    usable,
)
from runners.job import Job
from runners.pytorch.parts import eager, observers, real_tensors
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin_on_cpu

_HALF = 128  # of a random tensor's numbers: two batches for a moving average to move between


def quantize(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(ArithmeticRecipe)
    with job.phase("build"):
        model = trained_model(job)
        half = recipe.real_tensors // 2
        weights = usable(job, real_tensors.weights(model, half))
        activations = real_tensors.activations(
            job, model, recipe.real_tensors - half, recipe.calibration_images, recipe.test_images
        )
        activations = usable(job, activations)
    with job.phase("quantizers"):
        _quantizers(job, recipe, weights, activations)
    with job.phase("errors"):
        record_errors(job, activations, observers.round_trip)
    with job.phase("casts"):
        record_casts(job, observers.cast(torch.bfloat16), observers.cast(torch.float16))
    with job.phase("gradients"):
        record_gradients(job, *real_tensors.gradients(job, model))


def _quantizers(
    job: Job, recipe: ArithmeticRecipe, weights: list[Sample], activations: list[Sample]
) -> None:
    numbers = random_tensors(recipe.random_tensors, job.cell.seed)
    each = [
        Sample(f"random {place}", [row[:_HALF], row[_HALF:]], row)
        for place, row in enumerate(numbers)
    ]
    together = [Sample("random", [numbers], numbers)]
    details = Details(job)
    for trial in observers.per_tensor():
        details.quantizer(trial.name, trial.rule, [*each, *weights, *activations], trial.apply)
    for trial in observers.per_channel(0):
        details.quantizer(trial.name, trial.rule, [*together, *weights], trial.apply)
    details.leave()
