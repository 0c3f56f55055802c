"""Post-training quantization of an exported graph (PT2E) for Inductor on x86: int8, compiled.

Per-channel weights, per-tensor activations, calibrated on training images only; the last rung
on a processor. Timed region: calibration; conversion; compiling; the call.
"""

from __future__ import annotations

from runners import probing
from runners.inference import QuantizeRecipe, evaluate
from runners.job import Job
from runners.pytorch.parts import eager, exported, exported_layers
from runners.pytorch.parts.compiled import compiled_session
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.proof import count_batch_norms, prove_by_type
from runners.pytorch.parts.steps import begin_on_cpu, time_session
from runners.pytorch.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    device = begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = exported.observed(job, trained_model(job))
    eager.calibrate(job, model, recipe.calibration_images)
    with job.phase("convert"):
        model = exported.converted(model)
    job.record("convert_s", [job.last_phase_s("convert")])
    count_batch_norms(job, model.graph)
    exported.save(job, model)
    ready = compiled_session(job, model, device)
    evaluate(job, ready, recipe.test_images, job.cell.batch_size)
    prove_by_type(job, ready, "int8")
    job.layers = lambda images: exported_layers.compare(job, model, images)


def infer(job: Job) -> None:
    device = begin_on_cpu(job)
    eager.quiet()
    with job.phase("build"):
        model = exported.load(job)
    time_session(job, compiled_session(job, model, device), "int8")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
