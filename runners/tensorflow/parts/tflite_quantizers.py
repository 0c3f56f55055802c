"""TFLite's converter and kernels as quantizers of single tensors.

The converter quantizes models, so each tensor gets one: for activations an input of its own, which
the converter calibrates and a QUANTIZE operation then makes integers of; for weights a 1 × 1
convolution whose channels are the tensor's.
"""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Sequence

import numpy as np
import tensorflow as tf

from runners.arithmetic.quantizer_trial import Quantized, Sample
from runners.tensorflow.parts.litert import keeping_all

Array = Any


def activations(samples: Sequence[Sample]) -> Dict[str, Quantized]:
    """By the sample's name, each quantized for itself. Every sample has as many images.

    Scales and zero points are those of the .tflite file, integers those of its kernels.
    """
    rows = [_rows(np.concatenate([_rows(batch) for batch in s.batches])) for s in samples]
    converter = _converter(_doubling([row.shape[1] for row in rows]))
    converter.representative_dataset = lambda: _images(rows)
    tried = _Quantizing(converter.convert())
    values = [_rows(sample.values) for sample in samples]
    integers = [tried.integers(images) for images in _images(values)]
    return {
        sample.name: Quantized(
            *tried.parameters[place],
            np.concatenate([one[place] for one in integers]).reshape(np.shape(sample.values)),
        )
        for place, sample in enumerate(samples)
    }


def weights(channels: Array) -> Quantized:
    """float32 (channels, numbers): each channel quantized as that of a convolution's weight."""
    count, numbers = channels.shape
    kernel = tf.constant(channels.T.reshape(1, 1, numbers, count))

    @tf.function(input_signature=[tf.TensorSpec([1, 2, 2, numbers], tf.float32)])  # type: ignore[untyped-decorator]
    def convolution(x: Any) -> Any:
        return tf.nn.conv2d(x, kernel, 1, "SAME")

    converter = _converter(convolution)
    shown = np.random.default_rng(0).normal(size=(1, 2, 2, numbers)).astype(np.float32)
    converter.representative_dataset = lambda: iter([[shown]])
    interpreter = keeping_all(converter.convert())
    shape = [count, 1, 1, numbers]
    (tensor,) = [
        one for one in interpreter.get_tensor_details()
        if one["dtype"] == np.int8 and list(one["shape"]) == shape
    ]  # fmt: skip
    found = tensor["quantization_parameters"]
    integers = interpreter.get_tensor(tensor["index"]).reshape(count, numbers)
    return Quantized(found["scales"], found["zero_points"], integers)


class _Quantizing:
    """A model whose inputs each go into a QUANTIZE operation."""

    def __init__(self, content: bytes) -> None:
        self._interpreter = keeping_all(content)
        inputs = {one["name"]: one["index"] for one in self._interpreter.get_input_details()}
        self._inputs = [inputs[name] for name in sorted(inputs)]
        made = {
            int(operation["inputs"][0]): int(operation["outputs"][0])
            for operation in self._interpreter._get_ops_details()
            if operation["op_name"] == "QUANTIZE"
        }
        self._outputs = [made[index] for index in self._inputs]
        tensors = {one["index"]: one for one in self._interpreter.get_tensor_details()}
        self.parameters = [
            (np.float32(scale), np.int64(zero_point))
            for index in self._outputs
            for scale, zero_point in [tensors[index]["quantization"]]
        ]

    def integers(self, images: Sequence[Array]) -> List[Array]:
        """Of one row for each input."""
        for index, row in zip(self._inputs, images):
            self._interpreter.set_tensor(index, row)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index) for index in self._outputs]


def _doubling(sizes: Sequence[int]) -> Any:
    """A function of as many inputs, called so that sorting their names keeps their order."""
    signature = [
        tf.TensorSpec([1, size], tf.float32, name=f"t{place:06d}")
        for place, size in enumerate(sizes)
    ]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def doubled(*inputs: Any) -> Any:
        return [x + x for x in inputs]

    return doubled


def _converter(function: Any) -> Any:
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function()], function
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    return converter


def _images(rows: Sequence[Array]) -> Iterator[List[Array]]:
    """Image by image, one row of each tensor."""
    for place in range(len(rows[0])):
        yield [row[place : place + 1] for row in rows]


def _rows(values: Array) -> Array:
    """One row an image."""
    array = np.asarray(values, np.float32)
    return array.reshape(len(array), -1)
