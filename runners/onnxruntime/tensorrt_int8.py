"""Static INT8 with signed Q/DQ nodes on ONNX Runtime's TensorRT provider.

TensorRT takes symmetric signed types only. Parity, calibration and conversion run on the GPU's
session too. Timed region: calibration; folding BatchNorm and quantizing; ``run_with_iobinding``
until the answer is there, with input and answer on the GPU. Engines are built when a model is
opened and at its first call, which is not timed.
"""

from __future__ import annotations

from runners.job import Job
from runners.onnxruntime.parts.quantization import Scheme
from runners.onnxruntime.parts.steps import quantize_static, time_model

SCHEME = Scheme("qdq", "s8", "s8", symmetric=True)


def quantize(job: Job) -> None:
    quantize_static(job, SCHEME)


def infer(job: Job) -> None:
    time_model(job, "int8")
