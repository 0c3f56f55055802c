"""One CUDA graph of the eager model with float16 weights, channels_last.

No kernel is launched by itself: against channels-last it shows what launching costs. Timed
region: copying the input to where the graph reads it, and the replay.
"""

from __future__ import annotations

import torch

from runners.job import Job
from runners.pytorch.parts.compiled import channels_last
from runners.pytorch.parts.graphs import time_graph
from runners.pytorch.parts.low_precision import InLowPrecision
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin_on_gpu


def infer(job: Job) -> None:
    device = begin_on_gpu(job)
    with job.phase("build"):
        model = channels_last(InLowPrecision(trained_model(job), torch.float16).eval(), device)
    time_graph(job, model, device, "float16")
