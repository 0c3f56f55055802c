"""TF-TRT in precision mode INT8 (shafique2023, section 4 and Tables 6 to 11): NVIDIA GPUs only.

Timed region: conversion; calibration; the call of the converted model's signature.
"""

from __future__ import annotations

from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts import tensorrt


def quantize(job: Job) -> None:
    begin(job)
    tensorrt.quantize(job, "INT8")


def infer(job: Job) -> None:
    begin(job)
    tensorrt.infer(job, "INT8")
