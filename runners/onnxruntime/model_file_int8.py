"""A person's own ONNX file quantized by ONNX Runtime: Q/DQ nodes, unsigned activations.

Weights signed and per channel, activations by min-max. Timed region: calibration; folding BatchNorm
and quantizing; ``InferenceSession.run`` on a contiguous array, with the answer on the host.
"""

from __future__ import annotations

from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.model_file import profiled_calls, refused_by, timed, worth_profiling
from runners.onnxruntime.parts import given_models, proof
from runners.onnxruntime.parts.models import quantized_file
from runners.onnxruntime.parts.quantization import Scheme, make_static

SCHEME = Scheme("qdq", "u8", "s8")


def quantize(job: Job) -> None:
    job.float_model = given_models.quantizable(given_models.opened_file(job))
    images = job.recipe(QuantizeRecipe).calibration_images
    with refused_by("ONNX Runtime's quantizer"):
        path = make_static(job, SCHEME, images)
    given_models.finish(job, path, "int8")


def infer(job: Job) -> None:
    given_models.opened_file(job)
    path = quantized_file(job)
    timed(job, given_models.ready(job, path), given_models.RUNTIME)
    if worth_profiling(job):
        proof.prove(job, path, "int8", profiled_calls(job))
