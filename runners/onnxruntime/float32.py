"""The float32 network as an ONNX model: what the change of runtime alone gives.

Timed region: building the model from neutral weights; ``InferenceSession.run`` on a contiguous
NCHW array, with the answer on the host.
"""

from __future__ import annotations

from runners.job import Job
from runners.onnxruntime.parts.models import float_model, save_model
from runners.onnxruntime.parts.steps import begin, finish_model, time_model


def quantize(job: Job) -> None:
    with job.phase("convert"):
        model = float_model(job)
    job.record("convert_s", [job.last_phase_s("convert")], source="building the ONNX model")
    begin(job)
    finish_model(job, save_model(job, model.SerializeToString()), "float32")


def infer(job: Job) -> None:
    time_model(job, "float32")
