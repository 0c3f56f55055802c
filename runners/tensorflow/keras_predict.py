"""The float model through `model.predict(batch)`: numpy in, numpy out, a data pipeline between.

Timed region: that call on one batch.
"""

from __future__ import annotations

from runners.inference import time_inference
from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.keras_sessions import predict_session, prove
from runners.tensorflow.parts.models import trained_model


def infer(job: Job) -> None:
    begin(job)
    with job.phase("build"):
        model = trained_model(job)
    time_inference(job, predict_session(model))
    job.proof = prove(model)
