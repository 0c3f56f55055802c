"""TensorRT in int8 through Torch-TensorRT, with explicit Q/DQ nodes from ModelOpt.

Calibrated on training images: one batch unless the recipe says more. Timed region: calibration;
export and build; the call.
"""

from __future__ import annotations

from runners.job import Job
from runners.pytorch.parts.tensorrt import time_int8_engine


def infer(job: Job) -> None:
    time_int8_engine(job)
