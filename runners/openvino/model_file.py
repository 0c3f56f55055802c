"""A person's own .onnx or .tflite file as it is, in OpenVINO.

Computed in float32 where the file isn't quantized (``INFERENCE_PRECISION_HINT``). Timed region:
``infer()``.
"""

from __future__ import annotations

from runners.job import Job
from runners.openvino.parts import given_networks


def quantize(job: Job) -> None:
    network = given_networks.given_network(job)
    size = job.pretrained().stat().st_size
    job.record("model_size_bytes", [size], source="the file as it was given")
    given_networks.finish(job, network, given_networks.precision_of(network))


def infer(job: Job) -> None:
    network = given_networks.given_network(job)
    given_networks.time_network(job, network, given_networks.precision_of(network))
