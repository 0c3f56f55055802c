"""TensorFlow's and TFLite's own quantizers and casts beside shafique2023's equations (section 3).

On seeded random tensors, and on weights and activations of the trained network: which equation
each follows, and to how many integers and units in the last place; Equation 12's rounding and
clipping by calibrator. What TFLite makes of a tensor is read from the .tflite file that its
converter writes. Nothing is timed.
"""

from __future__ import annotations

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


def quantize(job: Job) -> None:
    from runners.tensorflow.parts import setup  # before anything that imports TensorFlow
    from runners.tensorflow.parts import models, quantizer_trials

    setup.begin(job)
    recipe = job.recipe(ArithmeticRecipe)
    with job.phase("build"):
        model = models.trained_model(job)
        half = recipe.real_tensors // 2
        weights = usable(job, quantizer_trials.weights(model, half))
        activations = quantizer_trials.activations(
            job, model, recipe.real_tensors - half, recipe.calibration_images, recipe.test_images
        )
        activations = usable(job, activations)
    with job.phase("quantizers"):
        _quantizers(job, recipe, weights, activations)
    with job.phase("errors"):
        record_errors(job, activations, quantizer_trials.round_trip)
    with job.phase("casts"):
        record_casts(job, quantizer_trials.to_bfloat16, quantizer_trials.to_float16)


def _quantizers(
    job: Job, recipe: ArithmeticRecipe, weights: list[Sample], activations: list[Sample]
) -> None:
    from runners.tensorflow.parts import quantizer_trials as trials

    numbers = random_tensors(recipe.random_tensors, job.cell.seed)
    each = [
        Sample(f"random {place}", list(row.reshape(2, 1, -1)), row.reshape(2, -1))
        for place, row in enumerate(numbers)
    ]
    together = Sample("random", [numbers], numbers)
    details = Details(job)
    made = {**trials.of_activations(each), **trials.of_activations(activations)}
    details.quantizer(
        "tflite-activations", trials.ACTIVATIONS, [*each, *activations], lambda s: made[s.name]
    )
    rows = [together, *weights]
    of_rows = trials.of_weights(rows)
    details.quantizer("tflite-weights", trials.WEIGHTS, rows, lambda s: of_rows[s.name])
    details.quantizer(
        "tensorflow-symmetric-restricted", trials.SCALED, [*each, *weights, *activations],
        trials.scaled,
    )  # fmt: skip
    details.leave()
