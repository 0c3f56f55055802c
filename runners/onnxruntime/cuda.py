"""The float32 network on ONNX Runtime's CUDA provider, without TF32.

Timed region: building the model from neutral weights; ``run_with_iobinding`` until the answer is
there, with input and answer on the GPU.
"""

from __future__ import annotations

from runners.job import Job
from runners.onnxruntime.parts.steps import make_float, time_model


def quantize(job: Job) -> None:
    make_float(job)


def infer(job: Job) -> None:
    time_model(job, "float32")
