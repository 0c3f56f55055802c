"""A full int8 .tflite file in the interpreter for microcontrollers, on the host.

shafique2023, section 6.4, names CMSIS-NN, the kernels that compute such files on a Cortex-M. They
have to give the integers of the reference kernels that run here, so that accuracy and answers are
those of a microcontroller; the time is this processor's. Timed region: set_input() and invoke().
"""

from __future__ import annotations

from runners.job import Job
from runners.tflite_micro.parts import measuring


def infer(job: Job) -> None:
    measuring.time_model(job, "int8")
