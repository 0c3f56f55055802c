"""Static quantization with Q/DQ nodes, unsigned activations, signed weights: fast on x86.

shafique2023, section 6.4 names the toolchain. Weights per channel, activations per tensor.
Calibrated on training images only. Timed region: calibration; folding BatchNorm and quantizing;
``InferenceSession.run`` on a contiguous NCHW float32 array, with the answer on the host.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.onnxruntime.parts.quantization import Scheme
from runners.onnxruntime.parts.steps import quantize_static, time_model
from runners.onnxruntime.probes.watched import FRAMEWORK

VARIANTS = {
    "entropy": "activations between the limits that lose least information (KL divergence)",
    "percentile": "activations within the 99.999th percentile of their size, symmetric",
}
"""By itself: between the smallest and the largest value seen."""
SCHEME = Scheme("qdq", "u8", "s8")


def quantize(job: Job) -> None:
    quantize_static(job, SCHEME)


def infer(job: Job) -> None:
    time_model(job, "int8")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
