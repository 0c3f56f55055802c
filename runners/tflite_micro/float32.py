"""A float32 .tflite file in the interpreter for microcontrollers, on the host: the float baseline.

Timed region: set_input() and invoke(), by reference kernels on one thread.
"""

from __future__ import annotations

from runners.job import Job
from runners.tflite_micro.parts import measuring


def infer(job: Job) -> None:
    measuring.time_model(job, "float32")
