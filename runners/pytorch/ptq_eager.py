"""Post-training quantization in eager mode (lad2023, III-A and IV): int8, the paper's way.

Fusion of convolution and ReLU, stubs at both ends, FloatFunctional for the additions.
Calibrated on training images only. Timed region: calibration; conversion; the call.
"""

from __future__ import annotations

from torch.ao import quantization

from runners import probing
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import save_model
from runners.pytorch.parts.steps import begin_on_cpu, finish_model, time_model
from runners.pytorch.probes.watched import FRAMEWORK

VARIANTS = {
    "minmax": "activations between the smallest and the largest value seen",
    "moving-average": "between moving averages of the batches' smallest and largest values",
    "unfused": "convolution and ReLU as two layers, each with its own rounding",
    "ends-float": "the first and the last layer in float32",
    "ends-float-unfused": "both: the ends in float32, nothing fused between them",
}
"""By itself: activations between the limits that lose least, found in a histogram; convolution and
ReLU fused; every layer quantized.
"""


def quantize(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = eager.observed_model(job)
    eager.calibrate(job, model, recipe.calibration_images)
    with job.phase("convert"):
        model = quantization.convert(model)
    job.record("convert_s", [job.last_phase_s("convert")])
    save_model(job, model)
    finish_model(job, model, recipe.test_images, "int8")


def infer(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    with job.phase("build"):
        model = eager.converted_model(job)
    time_model(job, model, "int8")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
