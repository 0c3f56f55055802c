"""TFLiteConverter as the study uses it: float32, and full int8 with a representative data set."""

from __future__ import annotations

from typing import Any, Iterator, List

import tensorflow as tf

from runners.job import Job


def to_float32(job: Job, model: Any) -> bytes:
    """Convert without quantization; records ``convert_s``."""
    with job.phase("convert"):
        content: bytes = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    job.record("convert_s", [job.last_phase_s("convert")])
    return content


def to_int8(job: Job, model: Any, calibration_images: int) -> bytes:
    """Calibrate on training images and convert to full int8, inputs and outputs too.

    Records ``calibration_s``, from the first to the last image asked for, and ``convert_s``,
    the whole of ``convert()``.
    """
    part = job.data.calibration(calibration_images, job.cell.seed)
    images = job.data.normalise(part.images)

    def representative() -> Iterator[List[Any]]:
        with job.phase("calibrate"):
            for index in range(len(images)):
                job.events.step(index, len(images))
                yield [images[index : index + 1]]

    converter = _int8_converter(model)
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    with job.phase("convert"):
        content: bytes = converter.convert()
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=len(images))
    job.record("convert_s", [job.last_phase_s("convert")])
    return content


def aware_to_int8(job: Job, model: Any) -> bytes:
    """Convert a quantization-aware model, whose ranges are in the graph; records ``convert_s``."""
    with job.phase("convert"):
        content: bytes = _int8_converter(model).convert()
    job.record("convert_s", [job.last_phase_s("convert")])
    return content


def _int8_converter(model: Any) -> Any:
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return converter
