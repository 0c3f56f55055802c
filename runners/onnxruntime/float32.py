"""The float32 network as an ONNX model: what the change of runtime alone gives.

Timed region: building the model from neutral weights; ``InferenceSession.run`` on a contiguous
NCHW array, with the answer on the host.
"""

from __future__ import annotations

from runners.job import Job
from runners.onnxruntime.parts.steps import make_float, time_model


def quantize(job: Job) -> None:
    make_float(job)


def infer(job: Job) -> None:
    time_model(job, "float32")
