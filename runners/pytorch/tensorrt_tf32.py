"""TensorRT in float32 with TF32 tensor cores allowed, through Torch-TensorRT: its own default.

The technique ``tensorrt-float32`` forbids them. Timed region: export and build; the call.
"""

from __future__ import annotations

import torch

from runners.job import Job
from runners.pytorch.parts.tensorrt import time_engine


def infer(job: Job) -> None:
    time_engine(job, "tf32", torch.float32, tf32=True)
