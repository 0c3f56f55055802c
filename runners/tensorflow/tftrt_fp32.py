"""TF-TRT in precision mode FP32 (shafique2023, section 4 and Tables 6 to 11): NVIDIA GPUs only.

Timed region: conversion; the call of the converted model's serving signature on one batch.
"""

from __future__ import annotations

from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts import tensorrt


def quantize(job: Job) -> None:
    begin(job)
    tensorrt.quantize(job, "FP32")


def infer(job: Job) -> None:
    begin(job)
    tensorrt.infer(job, "FP32")
