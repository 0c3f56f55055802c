"""float32 with TF32 tensor cores allowed (Ampere and later): the GPU's own middle way.

The technique ``float32`` forbids them. Timed region: every step and epoch; the call.
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.sessions import session
from runners.pytorch.parts.steps import begin_on_gpu, time_session
from runners.pytorch.parts.training import Precision, train_new_model


def train(job: Job) -> None:
    train_new_model(job, begin_on_gpu(job, tf32=True), Precision(), "tf32", by_kernels=True)


def infer(job: Job) -> None:
    device = begin_on_gpu(job, tf32=True)
    with job.phase("build"):
        model = trained_model(job).to(device)
    time_session(job, session(model, device), "tf32", by_kernels=True)
