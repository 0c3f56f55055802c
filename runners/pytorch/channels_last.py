"""float32 in eager mode with channels_last memory: the second rung of the ladder.

Timed region: the call, input in place and already in that order.
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.compiled import channels_last
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.sessions import session
from runners.pytorch.parts.steps import begin, time_session


def infer(job: Job) -> None:
    device = begin(job)
    with job.phase("build"):
        model = channels_last(trained_model(job), device)
    by_kernels = device.type == "cuda"  # no operator tells TF32
    ready = session(model, device, channels_last=True)
    time_session(job, ready, "float32", by_kernels, model=model)
