"""Quantization-aware training in FX graph mode (shafique2023, 3.7.1): int8 without stubs.

Fake quantization is placed in the traced graph of the trained float32 model, which trains on by the
cell's recipe; then it is converted to int8, and it is the converted model that is tested. Timed
region: every optimizer step and epoch; conversion; the call.
"""

from __future__ import annotations

import torch
from torch.ao.quantization import get_default_qat_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_qat_fx

from runners import probing
from runners.job import Job
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import empty_model, load_weights, save_model, trained_model
from runners.pytorch.parts.steps import begin_on_cpu, finish_model, time_model
from runners.pytorch.parts.training import train_model
from runners.pytorch.probes.watched import FRAMEWORK
from runners.quality import SIMULATED_TRAINING
from runners.training import training_recipe


def train(job: Job) -> None:
    device = begin_on_cpu(job)
    eager.quiet()
    recipe = training_recipe(job)
    job.flag(SIMULATED_TRAINING)
    with job.phase("build"):
        model = _aware(trained_model(job), job)
    train_model(job, model, recipe, device)
    if not recipe.keep_weights:
        return
    with job.phase("convert"):
        model = convert_fx(model.eval())
    job.record("convert_s", [job.last_phase_s("convert")])
    save_model(job, model)
    finish_model(job, model, recipe.test_images, "int8")


def infer(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    with job.phase("build"):
        model = convert_fx(_aware(empty_model(job), job).eval())
        model.load_state_dict(load_weights(job))
    time_model(job, model, "int8")


def _aware(model: torch.nn.Module, job: Job) -> torch.nn.Module:
    size = job.cell.image_size
    mapping = get_default_qat_qconfig_mapping(eager.choose_backend())
    return prepare_qat_fx(model.train(), mapping, (torch.zeros(1, 3, size, size),))


def probe(job: Job) -> None:
    probing.probe(job, train, FRAMEWORK)
