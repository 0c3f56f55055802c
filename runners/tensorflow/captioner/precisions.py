"""Which layers of a converted captioner compute in float: by the tensors of its .tflite file."""

from __future__ import annotations

import re
from typing import Any, Dict, FrozenSet, Iterable, List, Optional, Set

from runners.models.captioner import COMPONENTS, Captioner, layers_of
from runners.tflite_types import HYBRID, Graph

_MOVING = frozenset(
    ["QUANTIZE", "DEQUANTIZE", "RESHAPE", "TRANSPOSE", "PAD", "SHAPE", "PACK", "STRIDED_SLICE",
     "CAST", "BROADCAST_TO", "EXPAND_DIMS", "RELU", "SQUEEZE"]
)  # fmt: skip
"""Operations that compute nothing: they take what they are given."""


def layer_in(name: str, network: Captioner) -> Optional[str]:
    """The layer that a tensor's name speaks of: the first, where several were made one."""
    for part in re.split(r"[/;:]", name):
        plain = re.sub(r"^quant_", "", re.sub(r"_(relu|pad)$", "", part))
        if plain in _layers(network):
            return plain
    return None


def _layers(network: Captioner) -> Set[str]:
    return {layer for layers in layers_of(network).values() for layer in layers}


def float_layers(interpreter: Any, network: Captioner, promised: FrozenSet[str]) -> Set[str]:
    """The layers with an operation that computes in none of the promised types."""
    names = {one["index"]: one["name"] for one in interpreter.get_tensor_details()}
    graph = Graph(interpreter._get_ops_details(), interpreter.get_tensor_details())
    found: Set[str] = set()
    for operation in graph.operations:
        if operation["op_name"] in _MOVING or graph.kind(operation) in promised:
            continue
        layer = layer_in(names[operation["outputs"][0]], network)
        found.update([layer] if layer else [])
    return found


def nodes_of(interpreter: Any, network: Captioner, kept: Iterable[str]) -> List[str]:
    """The names by which the converter knows the operations of components."""
    left = set(kept)
    of: Dict[str, str] = {
        layer: name for name, layers in layers_of(network).items() for layer in layers
    }
    names = {one["index"]: one["name"] for one in interpreter.get_tensor_details()}
    found = []
    for operation in interpreter._get_ops_details():
        for index in operation["outputs"]:
            layer = layer_in(names.get(index, ""), network)
            if layer and of[layer] in left:
                found.append(names[index])
    return found


def components(network: Captioner, layers: Iterable[str], kept: Iterable[str]) -> List[str]:
    """The components that layers belong to, without ``kept``, in the network's order."""
    found, left = set(layers), set(kept)
    of = layers_of(network)
    return [name for name in COMPONENTS if name not in left and found.intersection(of[name])]


PROMISED: Dict[str, FrozenSet[str]] = {
    "int8": frozenset(["int8", "int32", "int64", "uint8", "bool"]),
    HYBRID: frozenset([HYBRID, "int8", "int32", "int64", "bool"]),
    "int16x8": frozenset(["int16x8", "int16", "int8", "int32", "int64", "bool"]),
    "float16": frozenset(["float16", "int32", "int64", "bool"]),
}
"""What counts as computed in a promised type: integers that only count or point are no floats."""
