"""Automatic mixed precision in bfloat16: what a processor has in place of float16.

Needs no scaled loss, since bfloat16 has float32's range. Timed region: every step and epoch.
"""

from __future__ import annotations

import torch

from runners.job import Job
from runners.pytorch.parts.steps import begin
from runners.pytorch.parts.training import autocast, train_new_model


def train(job: Job) -> None:
    device = begin(job)
    train_new_model(job, device, autocast(device, torch.bfloat16), "bfloat16")
