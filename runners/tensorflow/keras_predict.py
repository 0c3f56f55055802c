"""The float model through `model.predict(batch)`: numpy in, numpy out, a data pipeline between.

As published the batch's size is not handed over, and Keras takes it in steps of 32; rigorous, the
batch is one step. Timed region: that call on one batch.
"""

from __future__ import annotations

from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.keras_sessions import (
    predict_session,
    prove,
    record_steps_per_call,
    time_float_model,
)
from runners.tensorflow.parts.models import trained_model


def infer(job: Job) -> None:
    begin(job)
    with job.phase("build"):
        model = trained_model(job)
    time_float_model(job, predict_session(model, job.cell.protocol))
    record_steps_per_call(job, model)
    job.proof = prove(job, model)
