"""The float model through the serving signature of its SavedModel: one compiled graph.

Timed region: that call on one batch, input and output as tensors.
"""

from __future__ import annotations

import tempfile

from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.keras_sessions import (
    prove,
    settled,
    signature_session,
    time_float_model,
)
from runners.tensorflow.parts.models import trained_model


def infer(job: Job) -> None:
    begin(job)
    time_signature(job)


def time_signature(job: Job, promised: str = "float32") -> None:
    """Write, load and time it; ``promised`` is the type that the technique is named for."""
    with tempfile.TemporaryDirectory() as folder:
        with job.phase("build"):
            model = trained_model(job)
        with job.phase("convert"):
            session = signature_session(model, folder)
        time_float_model(job, settled(job, session))
    job.proof = prove(job, model, promised)
