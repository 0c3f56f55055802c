"""Post-training quantization in FX graph mode: int8 without hand-placed stubs.

The paper calls automated quantization "in beta" (Table IV); this is that mode. Calibrated on
training images only. Timed region: calibration; conversion; the call.
"""

from __future__ import annotations

import torch
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import empty_model, load_weights, save_model, trained_model
from runners.pytorch.parts.steps import begin_on_cpu, finish_model, time_model

VARIANTS = {
    "symmetric": "symmetric activations",
    "per-tensor": "weights by one scale a layer",
    "per-tensor-symmetric": "weights by one scale a layer, symmetric activations",
    "minmax": "activations between the smallest and the largest value seen",
    "minmax-symmetric": "smallest to largest value, symmetric activations",
    "minmax-per-tensor": "smallest to largest value, weights by one scale a layer",
    "minmax-per-tensor-symmetric": (
        "smallest to largest value, weights by one scale a layer, symmetric activations"
    ),
    "moving-average": "between moving averages of the batches' smallest and largest values",
    "moving-average-symmetric": "moving averages, symmetric activations",
    "moving-average-per-tensor": "moving averages, weights by one scale a layer",
    "moving-average-per-tensor-symmetric": (
        "moving averages, weights by one scale a layer, symmetric activations"
    ),
}
"""By itself: asymmetric activations between the limits that lose least, found in a histogram, and
weights by a scale for each channel. A variant's name says what differs: observer, weights,
activations.
"""


def quantize(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = _observed(trained_model(job), job)
    eager.calibrate(job, model, recipe.calibration_images)
    with job.phase("convert"):
        model = convert_fx(model)
    eager.record_scheme(job, model)
    job.record("convert_s", [job.last_phase_s("convert")])
    save_model(job, model)
    finish_model(job, model, recipe.test_images, "int8")


def infer(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    with job.phase("build"):
        model = convert_fx(_observed(empty_model(job), job))
        model.load_state_dict(load_weights(job))
    time_model(job, model, "int8")


def _observed(model: torch.nn.Module, job: Job) -> torch.nn.Module:
    size = job.cell.image_size
    mapping = get_default_qconfig_mapping(eager.choose_backend())
    if job.cell.variant:
        mapping.set_global(eager.calibrating_config(job.cell.variant))
    return prepare_fx(model, mapping, (torch.zeros(1, 3, size, size),))
