"""TFLite without quantization: what the change of runtime alone gives.

Timed region: conversion; ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.tensorflow.parts import litert
from runners.tensorflow.parts.files import save_tflite


def quantize(job: Job) -> None:
    from runners.tensorflow.parts import setup  # before anything that imports TensorFlow
    from runners.tensorflow.parts import conversion, models

    setup.begin(job)
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = models.trained_model(job)
    save_tflite(job, conversion.to_float32(job, model))
    litert.finish_model(job, recipe.test_images, "float32")


def infer(job: Job) -> None:
    litert.time_model(job, "float32")
