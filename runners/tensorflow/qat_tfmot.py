"""Quantization-aware training with tfmot (lad2023, III-A): the whole model annotated, 5 epochs.

Then converted to full int8 TFLite, and it is the converted model that is tested. Timed
region: every optimizer step and epoch; conversion; ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.quality import SIMULATED_TRAINING
from runners.tensorflow.parts import litert
from runners.tensorflow.parts.files import save_tflite
from runners.tensorflow.probes.watched import FRAMEWORK
from runners.training import TrainRecipe


def train(job: Job) -> None:
    from runners.tensorflow.parts import setup  # before anything that imports TensorFlow
    from runners.tensorflow.parts import conversion, models, training

    import tensorflow_model_optimization as tfmot

    setup.begin(job)
    recipe = job.recipe(TrainRecipe)
    job.flag(SIMULATED_TRAINING)
    with job.phase("build"):
        model = tfmot.quantization.keras.quantize_model(models.trained_model(job))
    training.train_model(job, model, recipe)
    if not recipe.keep_weights:
        return
    save_tflite(job, conversion.aware_to_int8(job, model))
    litert.finish_model(job, recipe.test_images, "int8")


def infer(job: Job) -> None:
    litert.time_model(job, "int8")


def probe(job: Job) -> None:
    probing.probe(job, train, FRAMEWORK)
