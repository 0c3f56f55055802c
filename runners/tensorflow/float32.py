"""Baseline in float32 with Keras 2: ResNet18 with SGD (lad2023, III-A), or one of shafique2023's
networks with Adam (section 6.1).

Timed region: every optimizer step and every epoch. How the trained model is called is a
technique of its own: keras-predict, keras-call, signature, tflite-float32.
"""

from __future__ import annotations

from runners.models.keras_applications import APPLICATIONS
from runners.inference import evaluate
from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.finetuning import train_application
from runners.tensorflow.parts.keras_sessions import call_session, prove
from runners.tensorflow.parts.models import new_model, save_weights
from runners.tensorflow.parts.training import train_model
from runners.training import TrainRecipe


def train(job: Job) -> None:
    begin(job)
    if job.cell.model in APPLICATIONS:
        train_application(job, "float32")
        return
    recipe = job.recipe(TrainRecipe)
    with job.phase("build"):
        model = new_model(job)
    job.record("parameters", [model.count_params()])
    train_model(job, model, recipe)
    if recipe.keep_weights:
        save_weights(job, model)
    evaluate(job, call_session(model), recipe.test_images, job.cell.batch_size)
    job.proof = prove(job, model)
