"""TensorFlow's and TFLite's own quantizers, each with the rule that it is held against.

What they do otherwise than shafique2023's equations is in numbers here, and in words in
``Rule.differs``: a rule that is wrong shows as integers that are not equal by it.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Sequence

import numpy as np
import tensorflow as tf

from runners.arithmetic.calibrators import Range, by_channel, min_max
from runners.arithmetic.quantizer_trial import Quantized, Rule, Sample, spread
from runners.arithmetic.quantizers import (
    PLAIN,
    Parameters,
    Steps,
    representable,
    symmetric_restricted,
)
from runners.data import batches
from runners.job import Job
from runners.tensorflow.parts import tflite_quantizers

Array = Any
_RECIPROCAL = Steps("float32", "reciprocal")
ACTIVATIONS = Rule(
    "Equations 1 to 3",
    differs="x is multiplied by 1/S in float32, and the range is widened to hold 0",
    steps=_RECIPROCAL,
)


def _by_quotient(
    f_min: Array, f_max: Array, bits: int = 8, axis: Any = None, steps: Steps = PLAIN
) -> Parameters:
    """By the equations, Equation 9; by the operation's own steps, x times 127 / max."""
    made = symmetric_restricted(f_min, f_max, bits, axis, steps)
    if steps == PLAIN:
        return made
    return made._replace(inverse=np.float32(127) / np.maximum(-f_min, f_max).astype(np.float32))


SCALED = Rule(
    "Equations 7 and 9",
    make=_by_quotient,
    differs="x is multiplied by 127 / max(|f_min|, |f_max|) in float32, and ties go away from 0",
    steps=Steps("float32", "reciprocal", "away"),
)


def channels(batches_: Sequence[Array]) -> Range:
    """The range of each row."""
    return by_channel(batches_[0], 0)


WEIGHTS = Rule(
    "Equations 7 and 9 by channel",
    make=symmetric_restricted,
    calibrate=channels,
    differs="x is multiplied by 1/S in float32, and ties go away from 0",
    steps=_RECIPROCAL._replace(ties="away"),
    axis=0,
)


def scaled(sample: Sample) -> Quantized:
    """``tf.quantization.quantize`` to narrow signed integers, by the tensor's own range.

    By default the operation widens every range to 0.01; here it is asked not to.
    """
    low, high = min_max(sample.batches)
    made = tf.quantization.quantize(
        tf.constant(sample.values), float(low), float(high), tf.qint8,
        mode="SCALED", narrow_range=True, ensure_minimum_range=0.0,
    )  # fmt: skip
    scale = made.output_max.numpy() / np.float32(127)
    return Quantized(scale, np.int64(0), tf.cast(made.output, tf.int32).numpy())


def round_trip(values: Array, parameters: Parameters) -> Array:
    """TensorFlow's own fake quantization between the ends that the parameters represent."""
    low, high = representable(parameters)
    return tf.quantization.fake_quant_with_min_max_vars(
        tf.constant(values), tf.constant(low, tf.float32), tf.constant(high, tf.float32)
    ).numpy()


def to_bfloat16(values: Array) -> Array:
    """TensorFlow's own conversion from float32, as uint16 bits."""
    return tf.bitcast(tf.cast(tf.constant(values), tf.bfloat16), tf.uint16).numpy()


def to_float16(values: Array) -> Array:
    """The same to float16."""
    return tf.bitcast(tf.cast(tf.constant(values), tf.float16), tf.uint16).numpy()


def weights(model: Any, count: int) -> List[Sample]:
    """``count`` weights of convolutions and products, a row for each channel, from the first to
    the last layer. (A depthwise one's channels are its third axis.)
    """
    found = []
    for layer in model.layers:
        kernel = getattr(layer, "depthwise_kernel", getattr(layer, "kernel", None))
        if kernel is None:
            continue
        axis = 2 if hasattr(layer, "depthwise_kernel") else -1
        values = np.moveaxis(kernel.numpy(), axis, 0)
        rows = np.ascontiguousarray(values.reshape(len(values), -1))
        found.append(Sample(f"{layer.name} weight", [rows], rows))
    return [found[place] for place in spread(len(found), count)]


def activations(job: Job, model: Any, count: int, calibration: int, test: int) -> List[Sample]:
    """``count`` layers' outputs, from the first to the last: on training images by batch, to
    calibrate on, and on test images together, to quantize.
    """
    computing = [
        layer for layer in model.layers
        if type(layer).__name__ not in ("InputLayer", "ZeroPadding2D", "Flatten", "Dropout")
    ]  # fmt: skip
    wanted = [computing[place] for place in spread(len(computing), count)]
    inside = tf.keras.Model(model.inputs, [layer.output for layer in wanted])
    observed = job.data.calibration(calibration, job.cell.seed)
    seen = list(_outputs(job, inside, observed))
    tested = list(_outputs(job, inside, job.data.test(test)))
    return [
        Sample(
            layer.name,
            [one[place] for one in seen],
            np.concatenate([one[place] for one in tested]),
        )
        for place, layer in enumerate(wanted)
    ]


def _outputs(job: Job, inside: Any, images: Any) -> Iterator[List[Array]]:
    for batch in batches(job.data, images, job.cell.batch_size):
        found = inside(tf.constant(batch.images), training=False)
        found = found if isinstance(found, (list, tuple)) else [found]
        yield [one.numpy() for one in found]


def of_activations(samples: Sequence[Sample]) -> Dict[str, Quantized]:
    """TFLite's, of tensors with as many images each."""
    return tflite_quantizers.activations(samples)


def of_weights(samples: Sequence[Sample]) -> Dict[str, Quantized]:
    """TFLite's, by channel."""
    return {sample.name: tflite_quantizers.weights(sample.values) for sample in samples}
