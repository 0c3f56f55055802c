"""One CUDA graph of the eager float32 model, channels_last.

No kernel is launched by itself: against channels-last it shows what launching costs. Timed
region: copying the input to where the graph reads it, and the replay.
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.compiled import channels_last
from runners.pytorch.parts.graphs import time_graph
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin_on_gpu


def infer(job: Job) -> None:
    device = begin_on_gpu(job)
    with job.phase("build"):
        model = channels_last(trained_model(job), device)
    time_graph(job, model, device, "float32")
