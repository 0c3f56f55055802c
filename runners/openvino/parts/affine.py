"""How numbers become the integers that a fully quantized file takes and gives.

A full INT8 .tflite has INT8 inputs and outputs. OpenVINO keeps their scale and zero point in the
FakeQuantize next to them: its two ranges are one another's images.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np

Array = Any
Node = Any  # openvino.Node

_MOVING = ("Convert", "Reshape", "Transpose", "Squeeze", "Unsqueeze")
"""They change no value."""
_QUANTIZE = "FakeQuantize"


class Affine(NamedTuple):
    """value = (integer - zero_point) * scale, ``low`` <= integer <= ``high``."""

    scale: float
    zero_point: float
    low: int
    high: int

    def quantized(self, values: Array) -> Array:
        rounded = np.round(values / np.float32(self.scale)) + self.zero_point
        return np.clip(rounded, self.low, self.high)

    def dequantized(self, integers: Array) -> Array:
        found = (integers.astype(np.float64) - self.zero_point) * self.scale
        return found.astype(np.float32)


def entry_affine(network: Any) -> Optional[Affine]:
    """Of the pictures that go in; None where they go in as float32.

    Raises ValueError for integers without a range.
    """
    port = network.inputs[0]
    if port.get_element_type().is_real():
        return None
    node = port.get_node()
    while node.get_type_name() != _QUANTIZE:
        readers = [reader.get_node() for reader in node.output(0).get_target_inputs()]
        if len(readers) != 1 or readers[0].get_type_name() not in (*_MOVING, _QUANTIZE):
            raise ValueError(f"the network takes {_kind(port)} whose scale can't be found")
        node = readers[0]
    integers, values = _ranges(node)
    return _affine(integers, values)


def exit_affine(network: Any) -> Optional[Affine]:
    """Of the answers; None where they come out as float32. Raises ValueError as above."""
    port = network.outputs[0]
    if port.get_element_type().is_real():
        return None
    node = producer(network, _MOVING)
    if node.get_type_name() != _QUANTIZE:
        raise ValueError(f"the network answers {_kind(port)} whose scale can't be found")
    values, integers = _ranges(node)
    return _affine(integers, values)


def producer(network: Any, passed: Any = (*_MOVING, _QUANTIZE)) -> Node:
    """The operation that the first answer comes from, behind those of the kinds ``passed``."""
    node = network.results[0]
    while node.get_type_name() in ("Result", *passed):
        node = node.input_value(0).get_node()
    return node


def _kind(port: Any) -> str:
    return str(port.get_element_type().to_string())


def _ranges(node: Node) -> Any:
    """((low, high) of what goes in, (low, high) of what comes out)."""
    ends = [float(np.asarray(node.input_value(i).get_node().data).ravel()[0]) for i in range(1, 5)]
    return (ends[0], ends[1]), (ends[2], ends[3])


def _affine(integers: Any, values: Any) -> Affine:
    scale = (values[1] - values[0]) / (integers[1] - integers[0])
    return Affine(scale, round(integers[0] - values[0] / scale), int(integers[0]), int(integers[1]))
