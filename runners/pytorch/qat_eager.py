"""Quantization-aware training in eager mode (lad2023, III-A and IV): 5 epochs from the baseline.

Fused, with stubs and fake quantization; then converted to int8, and it is the converted
model that is tested. Timed region: every optimizer step and epoch; conversion; the call.
"""

from __future__ import annotations

from torch.ao import quantization

from runners import probing
from runners.job import Job
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import save_model
from runners.pytorch.parts.steps import begin_on_cpu, finish_model, time_model
from runners.pytorch.parts.training import train_model
from runners.pytorch.probes.watched import FRAMEWORK
from runners.quality import SIMULATED_TRAINING
from runners.training import TrainRecipe


def train(job: Job) -> None:
    device = begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(TrainRecipe)
    job.flag(SIMULATED_TRAINING)
    with job.phase("build"):
        model = eager.qat_model(job)
    train_model(job, model, recipe, device)
    if not recipe.keep_weights:
        return
    with job.phase("convert"):
        model = quantization.convert(model.eval())
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
    probing.probe(job, train, FRAMEWORK)
