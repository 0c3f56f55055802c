"""TFLite with float16 weights: half the file.

A processor computes in float32 all the same: XNNPACK, and TFLite's own kernels too, make float32 of
the weights before the first call. The proof says so: none of the compute operations is float16.
Timed region: conversion; ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.tensorflow.parts import litert
from runners.tensorflow.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    from runners.tensorflow.parts import setup  # before anything that imports TensorFlow
    from runners.tensorflow.parts import conversion

    setup.begin(job)
    conversion.quantize(job, conversion.to_float16, "float16")


def infer(job: Job) -> None:
    litert.time_model(job, "float16")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
