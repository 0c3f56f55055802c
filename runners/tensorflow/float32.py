"""Baseline in float32 with Keras 2: ResNet18 with SGD (lad2023, III-A), or one of shafique2023's
networks with Adam (section 6.1).

Timed region: every optimizer step and every epoch. How the trained model is called is a
technique of its own: keras-predict, keras-call, signature, tflite-float32.
"""

from __future__ import annotations

from runners.models.keras_applications import APPLICATIONS
from runners.failures import Unsupported
from runners.inference import evaluate
from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.finetuning import train_application
from runners.tensorflow.parts.keras_sessions import call_session, prove
from runners.tensorflow.parts.models import new_model, save_weights, trained_model
from runners.tensorflow.parts.training import train_model
from runners.training import TrainRecipe

VARIANTS = {"continued": "trained on from the weights of another float32 training (ResNet18)"}
"""By itself: from seeded initial weights."""


def train(job: Job) -> None:
    begin(job)
    if job.cell.model in APPLICATIONS:
        if job.cell.weights_from is not None:
            raise Unsupported(f"{job.cell.model} is trained from the start only in TensorFlow")
        train_application(job, "float32")
        return
    recipe = job.recipe(TrainRecipe)
    with job.phase("build"):
        model = trained_model(job) if job.cell.weights_from else new_model(job)
        job.float_model = None  # what trains on is the float parent's no more
    job.record("parameters", [model.count_params()])
    train_model(job, model, recipe)
    if recipe.keep_weights:
        save_weights(job, model)
    evaluate(job, call_session(model), recipe.test_images, job.cell.batch_size)
    job.proof = prove(job, model)
