"""One CUDA graph of the eager model under autocast to float16, channels_last.

No kernel is launched by itself: against channels-last it shows what launching costs. Timed
region: copying the input to where the graph reads it, and the replay.
"""

from __future__ import annotations

import torch

from runners.job import Job
from runners.pytorch.parts.compiled import Autocast, channels_last, graphed_session
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin_on_gpu, time_session


def infer(job: Job) -> None:
    device = begin_on_gpu(job)
    with job.phase("build"):
        model = channels_last(Autocast(trained_model(job), device, torch.float16).eval(), device)
    time_session(job, graphed_session(job, model, device), "float16", by_kernels=True)
