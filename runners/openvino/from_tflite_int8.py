"""OpenVINO on the INT8 .tflite file that TensorFlow's converter wrote: its scales and zero points,
OpenVINO's kernels (shafique2023, section 6.4).

Starts from a cell ``tensorflow quantize ptq-tflite`` or ``qat-tfmot``. Pictures are rounded to INT8
where they are placed, as for TensorFlow Lite. Timed region: ``infer()``.
"""

from __future__ import annotations

from runners.job import Job
from runners.openvino.parts import networks, steps


def infer(job: Job) -> None:
    with job.phase("build"):
        network = networks.from_tflite(job)
    steps.time_network(job, network, "int8")
