"""Dynamic range quantization with TFLite: int8 weights in the file, float32 activations.

Needs no calibration. Hybrid kernels quantize a layer's input at each call and multiply integers; a
layer whose weights are few stays float32. The proof says how many of each there are, and which of
them XNNPACK took. Timed region: conversion; ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners import tflite_types
from runners.tensorflow.parts import litert
from runners.tensorflow.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    from runners.tensorflow.parts import setup  # before anything that imports TensorFlow
    from runners.tensorflow.parts import conversion

    setup.begin(job)
    conversion.quantize(job, conversion.to_dynamic_range, tflite_types.HYBRID)


def infer(job: Job) -> None:
    litert.time_model(job, tflite_types.HYBRID)


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
