"""Post-training quantization to INT8 by NNCF (shafique2023, section 6.4, OpenVINO).

By itself ``nncf.quantize`` as it comes, and so with fast bias correction. Calibrated on training
images only; what isn't quantized computes in float32. Timed region: calibration; conversion with
the correction of biases; ``infer()``.
"""

from __future__ import annotations

from runners import probing
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.openvino.parts import networks, quantization, steps
from runners.openvino.probes.watched import FRAMEWORK

VARIANTS = {
    "full-bias": "biases corrected layer after layer on the quantized network, slower",
    "no-bias": "biases left as they are",
}
"""By itself: fast bias correction, NNCF's default."""


def quantize(job: Job) -> None:
    count = job.recipe(QuantizeRecipe).calibration_images
    fast, corrected = job.cell.variant != "full-bias", job.cell.variant != "no-bias"
    network = steps.float_network(job)
    made = quantization.quantized(job, count, quantization.basic(network, count, fast, corrected))
    networks.save(job, made)
    steps.finish(job, made, "int8")


def infer(job: Job) -> None:
    steps.infer_int8(job)


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
