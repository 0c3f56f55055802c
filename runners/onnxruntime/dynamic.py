"""Dynamic quantization: unsigned 8-bit weights, activations quantized at each call.

Needs no calibration. Convolutions become ConvInteger, whose sums are scaled in float32: coverage by
count is full, and the time that the rest takes shows in the proof by time. Timed region: folding
BatchNorm and quantizing; ``InferenceSession.run``.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.onnxruntime.parts.quantization import make_dynamic
from runners.onnxruntime.parts.steps import begin, finish_model, time_model
from runners.onnxruntime.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    begin(job)
    finish_model(job, make_dynamic(job), "int8")


def infer(job: Job) -> None:
    time_model(job, "int8")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
