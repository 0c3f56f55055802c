"""The float model called directly, `model(batch)`: layer by layer, without a graph.

Timed region: that call on one batch.
"""

from __future__ import annotations

from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.keras_sessions import call_session, prove, settled, time_float_model
from runners.tensorflow.parts.models import trained_model


def infer(job: Job) -> None:
    begin(job)
    with job.phase("build"):
        model = trained_model(job)
    time_float_model(job, settled(job, call_session(model)))
    job.proof = prove(job, model)
