"""OpenVINO on the float32 .tflite file that TensorFlow's converter wrote: the same file, another
runtime (shafique2023, section 6.4).

Starts from a cell ``tensorflow quantize tflite-float32``. Timed region: ``infer()``.
"""

from __future__ import annotations

from runners.job import Job
from runners.openvino.parts import networks, steps


def infer(job: Job) -> None:
    with job.phase("build"):
        network = networks.from_tflite(job)
    steps.time_network(job, network, "float32")
