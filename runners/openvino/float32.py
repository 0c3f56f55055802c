"""OpenVINO in float32: the float model that its other techniques are held against.

The precision is named (``INFERENCE_PRECISION_HINT``), since OpenVINO by itself computes in bfloat16
where a processor has instructions for it. Timed region: conversion; ``infer()``.
"""

from __future__ import annotations

from runners.job import Job
from runners.openvino.parts import steps


def quantize(job: Job) -> None:
    steps.quantize_float(job, "float32", "f32")


def infer(job: Job) -> None:
    steps.infer_float(job, "float32", "f32")
