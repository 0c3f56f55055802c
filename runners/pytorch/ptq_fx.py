"""Post-training quantization in FX graph mode: int8 without hand-placed stubs.

The paper calls automated quantization "in beta" (Table IV); this is that mode. Calibrated on
training images only. Timed region: calibration; conversion; the call.
"""

from __future__ import annotations

import torch
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.backend_config import BackendConfig, get_native_backend_config
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from runners import probing
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import empty_model, load_weights, save_model, trained_model
from runners.pytorch.parts.steps import begin_on_cpu, finish_model, time_model
from runners.pytorch.probes.watched import FRAMEWORK

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
    "unfused": "BatchNorm and ReLU as layers of their own, each with its own rounding",
}
"""By itself: asymmetric activations between the limits that lose least, found in a histogram, and
weights by a scale for each channel; BatchNorm and ReLU are fused into the convolution before them.
A variant's name says what differs: observer, weights, activations, fusion.
"""


def quantize(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = _observed(trained_model(job), job)
    eager.calibrate(job, model, recipe.calibration_images)
    with job.phase("convert"):
        model = _converted(model, job)
    eager.record_scheme(job, model)
    job.record("convert_s", [job.last_phase_s("convert")])
    save_model(job, model)
    finish_model(job, model, recipe.test_images, "int8")


def infer(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    with job.phase("build"):
        model = _converted(_observed(empty_model(job), job), job)
        model.load_state_dict(load_weights(job))
    time_model(job, model, "int8")


def _observed(model: torch.nn.Module, job: Job) -> torch.nn.Module:
    size = job.cell.image_size
    mapping = get_default_qconfig_mapping(eager.choose_backend())
    observer = eager.structure_of(job.cell.variant).observer
    if observer:
        mapping.set_global(eager.calibrating_config(observer))
    images = (torch.zeros(1, 3, size, size),)
    return prepare_fx(model, mapping, images, backend_config=_patterns(job))


def _converted(model: torch.nn.Module, job: Job) -> torch.nn.Module:
    return convert_fx(model, backend_config=_patterns(job))


def _patterns(job: Job) -> BackendConfig:
    """What torch quantizes, without what it fuses first where the variant says so."""
    own = get_native_backend_config()
    if eager.structure_of(job.cell.variant).fused:
        return own
    kept = [pattern for pattern in own.configs if pattern.fuser_method is None]
    return BackendConfig("unfused").set_backend_pattern_configs(kept)


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
