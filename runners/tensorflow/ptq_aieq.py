"""Post-training quantization of a finished float32 .tflite file by Google's ai-edge-quantizer.

It starts from the file of a ``tflite-float32`` cell and needs no TensorFlow. By itself: int8
weights by channel and int8 activations, calibrated on training images only. Timed region:
calibration; quantizing; ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from typing import Any, Dict

from runners.failures import Unsupported, first_line
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners import tflite_types
from runners.tensorflow.parts import litert
from runners.tensorflow.parts.files import TFLITE_FILE, save_tflite

VARIANTS = {"dynamic": "int8 weights, float32 activations that are quantized at each call"}
"""By itself: static, both in int8."""


def quantize(job: Job) -> None:
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        quantizer = _quantizer(job)
    ranges = _calibrated(job, quantizer, recipe.calibration_images)
    with job.phase("convert"):
        content = bytes(quantizer.quantize(ranges).quantized_model)
    job.record("convert_s", [job.last_phase_s("convert")])
    save_tflite(job, content)
    litert.finish_model(job, recipe.test_images, _promised(job))
    job.layers = "the environment of ai-edge-quantizer can't build the float model's layers"


def infer(job: Job) -> None:
    litert.time_model(job, _promised(job))


def _promised(job: Job) -> str:
    return tflite_types.HYBRID if job.cell.variant else "int8"


def _quantizer(job: Job) -> Any:
    """Of the file that the cell starts from. Raises Unsupported where the package isn't there."""
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ImportError as error:
        raise Unsupported(f"ai-edge-quantizer: {first_line(error)}") from error
    path = job.weights.file(TFLITE_FILE)
    litert.check_file(path)
    found = quantizer.Quantizer(str(path))
    wanted = recipe.dynamic_wi8_afp32 if job.cell.variant else recipe.static_wi8_ai8
    found.load_quantization_recipe(wanted())
    return found


def _calibrated(job: Job, quantizer: Any, calibration_images: int) -> Dict[str, Any]:
    """The ranges that it saw; records ``calibration_s``. Nothing for what needs none."""
    if not quantizer.need_calibration:
        return {}
    part = job.data.calibration(calibration_images, job.cell.seed)
    images = job.data.normalise(part.images)
    signature, entry = litert.signature(job.weights.file(TFLITE_FILE))
    samples = [{entry: images[place : place + 1]} for place in range(len(images))]
    with job.phase("calibrate"):
        found = quantizer.calibrate({signature: samples}, num_threads=job.threads)
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(images))
    return dict(found)
