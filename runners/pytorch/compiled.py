"""float32 compiled by Inductor for the cell's batch, channels_last, weights frozen.

The third rung: what the compiler gives without lower precision. Timed region: compiling; the call.
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.compiled import channels_last, compiled_session
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin, time_session


def infer(job: Job) -> None:
    device = begin(job)
    with job.phase("build"):
        model = channels_last(trained_model(job), device)
    time_session(job, compiled_session(job, model, device), "float32")
