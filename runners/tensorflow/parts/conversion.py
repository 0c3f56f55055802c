"""TFLiteConverter as the studies use it: float32, float16, dynamic range, and full integers with a
representative data set.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator, List

import tensorflow as tf

from runners.failures import first_line
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.tensorflow.parts import litert, models
from runners.tensorflow.parts.files import FLOAT_FILE, save_tflite

Conversion = Callable[[Job, Any, int], bytes]
"""Of a Keras model, with so many images to calibrate on where it takes any."""


def quantize(job: Job, convert: Conversion, promised: str) -> None:
    """The float model of the cell that this one starts from, converted, saved, tested, proven."""
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = models.trained_model(job)
    save_tflite(job, convert(job, model, recipe.calibration_images))
    litert.finish_model(job, recipe.test_images, promised)


def to_float32(job: Job, model: Any) -> bytes:
    """Convert without quantization; records ``convert_s``."""
    return _converted(job, tf.lite.TFLiteConverter.from_keras_model(model))


def leave_float(job: Job) -> None:
    """Leave a probe's float network as a file beside what was made of it, where it becomes one."""
    model = models.trained_model(job)
    try:
        content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    except Exception as error:  # noqa: BLE001  a refusal has no one type; the probe is done
        job.warn(f"no {FLOAT_FILE}: {first_line(error)}")
        return
    (job.folder / FLOAT_FILE).write_bytes(content)
    job.artifact(FLOAT_FILE, "TFLite flatbuffer of the float network")


def to_float16(job: Job, model: Any, calibration_images: int = 0) -> bytes:
    """Convert with float16 weights; records ``convert_s``."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return _converted(job, converter)


def to_dynamic_range(job: Job, model: Any, calibration_images: int = 0) -> bytes:
    """Convert with int8 weights and float32 activations; records ``convert_s``."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return _converted(job, converter)


def to_int8(job: Job, model: Any, calibration_images: int) -> bytes:
    """Calibrate on training images and convert to full int8, inputs and outputs too.

    Records ``calibration_s``, from the first to the last image asked for, and ``convert_s``,
    the whole of ``convert()``.
    """
    converter = _int8_converter(model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return _calibrated(job, converter, calibration_images)


def to_int16x8(job: Job, model: Any, calibration_images: int) -> bytes:
    """The same with int16 activations, inputs and outputs, beside int8 weights."""
    converter = _int8_converter(model)
    converter.inference_input_type = converter.inference_output_type = tf.int16
    converter.target_spec.supported_ops = [
        tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    ]
    return _calibrated(job, converter, calibration_images)


def _calibrated(job: Job, converter: Any, calibration_images: int) -> bytes:
    part = job.data.calibration(calibration_images, job.cell.seed)
    images = job.data.normalise(part.images)

    def representative() -> Iterator[List[Any]]:
        with job.phase("calibrate"):
            for index in range(len(images)):
                job.events.step(index, len(images))
                yield [images[index : index + 1]]

    converter.representative_dataset = representative
    with job.phase("convert"):
        content: bytes = converter.convert()
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(images))
    job.record("convert_s", [job.last_phase_s("convert")])
    return content


def _converted(job: Job, converter: Any) -> bytes:
    with job.phase("convert"):
        content: bytes = converter.convert()
    job.record("convert_s", [job.last_phase_s("convert")])
    return content


def aware_to_int8(job: Job, model: Any) -> bytes:
    """Convert a quantization-aware model, whose ranges are in the graph; records ``convert_s``."""
    return _converted(job, _int8_converter(model))


def _int8_converter(model: Any) -> Any:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter
