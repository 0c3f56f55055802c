"""Static quantization with Q/DQ nodes, activations and weights signed: what TensorRT takes.

The runtime may turn signed activations into unsigned ones, for which it has kernels; the proof
names the types that ran. Weights per channel.
Calibrated on training images only. Timed region: calibration; folding BatchNorm and quantizing;
``InferenceSession.run`` on a contiguous NCHW float32 array, with the answer on the host.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.onnxruntime.parts.quantization import Scheme
from runners.onnxruntime.parts.steps import quantize_static, time_model
from runners.onnxruntime.probes.watched import FRAMEWORK

SCHEME = Scheme("qdq", "s8", "s8")


def quantize(job: Job) -> None:
    quantize_static(job, SCHEME)


def infer(job: Job) -> None:
    time_model(job, "int8")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
