"""The float model compiled by XLA: the compiler's rung where there is no TensorRT.

Timed region: compiling, which the first call does; the call on one batch, tensors in place.
"""

from __future__ import annotations

import numpy as np

from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.keras_sessions import prove, settled, time_float_model, xla_session
from runners.tensorflow.parts.models import trained_model


def infer(job: Job) -> None:
    begin(job)
    with job.phase("build"):
        model = trained_model(job)
    with job.phase("convert"):
        session = settled(job, xla_session(model, job.cell.batch_size))
        pixels = job.data.normalise(job.data.timed(job.cell.batch_size))
        np.asarray(session.call(session.place(pixels)))
    job.record("convert_s", [job.last_phase_s("convert")], source="XLA, until the first answer")
    time_float_model(job, session)
    job.proof = prove(job, model)
