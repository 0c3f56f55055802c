"""Accuracy-aware quantization to INT8 by NNCF (shafique2023, section 6.4, OpenVINO).

``nncf.quantize_with_accuracy_control``: operations go back to float32, those that cost most
first, until top-1 accuracy on training images lies at most one point below the float model's
(NNCF's default). The proof says how much stayed INT8. Timed region: calibration; conversion with
the search; ``infer()``.
"""

from __future__ import annotations

from runners import probing
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.openvino.parts import networks, quantization, steps
from runners.openvino.probes.watched import FRAMEWORK

_MAX_DROP = 0.01


def quantize(job: Job) -> None:
    count = job.recipe(QuantizeRecipe).calibration_images
    network = steps.float_network(job)
    controlled = quantization.accuracy_controlled(job, network, count, _MAX_DROP)
    made = quantization.quantized(job, count, controlled)
    networks.save(job, made)
    steps.finish(job, made, "int8")


def infer(job: Job) -> None:
    steps.infer_int8(job)


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
