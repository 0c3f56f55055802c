"""TensorRT in float32 without TF32 through Torch-TensorRT, one engine for the cell's batch.

PyTorch's counterpart of TF-TRT (shafique2023, section 4.2). Timed region: export and
build; the call.
"""

from __future__ import annotations

import torch

from runners.job import Job
from runners.pytorch.parts.tensorrt import time_engine


def infer(job: Job) -> None:
    time_engine(job, "float32", torch.float32)
