"""Post-training quantization of a finished float32 .tflite file by Google's ai-edge-quantizer.

It starts from the file of a ``tflite-float32`` cell and needs no TensorFlow. By itself: int8
weights by channel and int8 activations, calibrated on training images only. Timed region:
calibration; quantizing; ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import numpy as np

from runners import probing
from runners.failures import Unsupported, first_line
from runners.float_parent import Layers
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners import tflite_types
from runners.tensorflow.parts import layers, litert
from runners.tensorflow.parts.files import FLOAT_FILE, TFLITE_FILE, save_tflite
from runners.tensorflow.probes.watched import FRAMEWORK

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
    job.layers = lambda images: _layers(job, images)


def _layers(job: Job, images: Any) -> Layers:
    """Of the float file that the cell starts from, and of what it made of that."""
    files = _float_file(job), job.folder / TFLITE_FILE
    theirs, ours = (litert.inside(path, images, job.threads) for path in files)
    return layers.compare_files(theirs, ours)


def infer(job: Job) -> None:
    litert.time_model(job, _promised(job))


def probe(job: Job) -> None:
    """Of the float network that a probe of ``ptq-tflite`` left as a file."""
    probing.probe(job, quantize, FRAMEWORK._replace(expected=_expected))


def _expected(job: Job, images: Any) -> Any:
    """The float file's answers, in batches of the cell's size."""
    made = litert.session(_float_file(job), job.cell.batch_size, images.shape[1], job.threads)
    assert made.outputs is not None
    size = job.cell.batch_size
    parts = [images[place : place + size] for place in range(0, len(images), size)]
    return np.concatenate([made.outputs(made.call(made.place(part))) for part in parts])


def _float_file(job: Job) -> Path:
    """What the cell starts from. Raises Unsupported where TFLite's converter made no such file."""
    if not job.cell.feature:
        return job.weights.file(TFLITE_FILE)
    try:
        return job.weights.file(FLOAT_FILE)
    except FileNotFoundError as error:
        feature = job.cell.feature
        raise Unsupported(f"TFLite's converter makes no float32 file of {feature}") from error


def _promised(job: Job) -> str:
    return tflite_types.HYBRID if job.cell.variant else "int8"


def _quantizer(job: Job) -> Any:
    """Of the file that the cell starts from. Raises Unsupported where the package isn't there."""
    try:
        from ai_edge_quantizer import quantizer, recipe
    except ImportError as error:
        raise Unsupported(f"ai-edge-quantizer: {first_line(error)}") from error
    path = _float_file(job)
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
    signature, entry = litert.signature(_float_file(job))
    samples = [{entry: images[place : place + 1]} for place in range(len(images))]
    with job.phase("calibrate"):
        found = quantizer.calibrate({signature: samples}, num_threads=job.threads)
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(images))
    return dict(found)
