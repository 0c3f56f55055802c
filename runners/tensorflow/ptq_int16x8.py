"""Post-training quantization with TFLite to int16 activations and int8 weights.

Calibrated on training images only. XNNPACK has no such kernels: TFLite's own run, on one thread.
Timed region: calibration; conversion; ``invoke()`` of the LiteRT interpreter.
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
    conversion.quantize(job, conversion.to_int16x8, tflite_types.INT16X8)


def infer(job: Job) -> None:
    litert.time_model(job, tflite_types.INT16X8)


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
