"""Automatic mixed precision in float16 with a scaled loss, on a GPU (shafique2023, section 4.1).

PyTorch's counterpart of Keras' policy mixed_float16. Timed region: every step and epoch.
"""

from __future__ import annotations

import torch

from runners.job import Job
from runners.pytorch.parts.steps import begin_on_gpu
from runners.pytorch.parts.training import autocast, train_new_model


def train(job: Job) -> None:
    device = begin_on_gpu(job)
    train_new_model(job, device, autocast(device, torch.float16), "float16")
