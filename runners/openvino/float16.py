"""OpenVINO in float16: the file's constants, and what the device computes in.

Processors with AVX512-FP16 or AMX-FP16, ARM's, and GPUs have it; another takes bfloat16 or float32
instead, the proof fails, and the cell is ``unsupported``. Timed region: conversion; ``infer()``.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.openvino.parts import steps
from runners.openvino.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    steps.quantize_float(job, "float16", "f16", half=True)


def infer(job: Job) -> None:
    steps.infer_float(job, "float16", "f16")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
