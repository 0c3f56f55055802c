"""Autocast to float16 inside the compiled graph: lower precision on top of the compiler.

On a GPU. Timed region: compiling; the call, float32 in and out.
"""

from __future__ import annotations

import torch

from runners import probing
from runners.job import Job
from runners.pytorch.parts.compiled import Autocast, channels_last, compiled_session
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.steps import begin_on_gpu, time_session
from runners.pytorch.probes.watched import FRAMEWORK


def infer(job: Job) -> None:
    device = begin_on_gpu(job)
    with job.phase("build"):
        model = channels_last(Autocast(trained_model(job), device, torch.float16).eval(), device)
    time_session(job, compiled_session(job, model, device), "float16")


def probe(job: Job) -> None:
    probing.probe(job, infer, FRAMEWORK)
