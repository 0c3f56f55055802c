"""The steps that ONNX Runtime's techniques share: parity, evaluating, timing, proving."""

from __future__ import annotations

from pathlib import Path

from runners.float_parity import show_float_parity
from runners.inference import QuantizeRecipe, evaluate, infer_recipe, time_inference
from runners.job import Job
from runners.onnxruntime.parts import layers, proof, quantization
from runners.onnxruntime.parts.models import float_model, quantized_file, save_model
from runners.onnxruntime.parts.providers import providers_of
from runners.onnxruntime.parts.quantization import Scheme
from runners.onnxruntime.parts.sessions import session


def quantize_static(job: Job, scheme: Scheme) -> None:
    """Float parity, calibration, conversion; then accuracy and proof of what came out."""
    begin(job)
    images = job.recipe(QuantizeRecipe).calibration_images
    finish_model(job, quantization.make_static(job, scheme, images), "int8")


def make_float(job: Job, promised: str = "float32") -> None:
    """The float model as a file, after its parity; ``promised``: what a provider makes of it."""
    with job.phase("convert"):
        model = float_model(job)
    job.record("convert_s", [job.last_phase_s("convert")], source="building the ONNX model")
    begin(job)
    finish_model(job, save_model(job, model.SerializeToString()), promised)


def begin(job: Job) -> None:
    """Build the float model and show that it computes what its training did.

    Raises Unsupported where it doesn't, or the device has no technique.
    """
    providers_of(job)
    with job.phase("build"):
        ready = session(job, float_model(job))
    show_float_parity(job, ready)


def finish_model(job: Job, path: Path, promised: str) -> None:
    """Accuracy on the test split, and the proof, of a model that was just made."""
    evaluate(job, session(job, path), job.recipe(QuantizeRecipe).test_images, job.cell.batch_size)
    proof.prove(job, path, promised)
    job.layers = lambda images: layers.compare(job, path, images)


def time_model(job: Job, promised: str) -> None:
    """Latency, end-to-end time and proof of the parent's file."""
    providers_of(job)
    recipe = infer_recipe(job)
    path = quantized_file(job)
    with job.phase("build"):
        ready = session(job, path)
    time_inference(job, ready)
    if recipe.test_images is not None:
        evaluate(job, ready, recipe.test_images, job.cell.batch_size)
    proof.prove(job, path, promised, recipe.profile_calls or proof.CALLS)
