"""Post-training quantization to full int8 TFLite (lad2023, III-A): the paper's way.

Calibrated on training images only. Timed region: calibration; conversion; ``invoke()`` of
the LiteRT interpreter.
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
    conversion.quantize(job, conversion.to_int8, "int8")


def infer(job: Job) -> None:
    litert.time_model(job, "int8")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
    from runners.tensorflow.parts import conversion

    conversion.leave_float(job)
