"""The layers of a network in lower precision beside those of the float32 one it was made from.

A layer is a convolution or a product with its bias; NNCF leaves the operations their names.
"""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np
import openvino

from runners.fidelity import Layer, sqnr
from runners.float_parent import Layers
from runners.job import Job
from runners.openvino.parts import device, networks

Array = Any
Network = Any
Node = Any

_SPLIT = "/WithoutBiases"
"""Behind the name of what OpenVINO split into itself and its bias."""
_COMPUTE = ("Convolution", "GroupConvolution", "MatMul")


def compare(job: Job, network: Network, hint: str, images: Array) -> Layers:
    """What ``network``, computed as ``hint`` says, and the float network make of float32 NHWC
    ``images``.
    """
    floats, theirs = networks.trained(job), network.clone()
    ours = _ends(theirs)
    there = _ends(floats)
    names = [name for name in there if name in ours]
    x = _tensors(job, floats, "f32", [there[name] for name in names], images)
    y = _tensors(job, theirs, hint, [ours[name] for name in names], images)
    found = [Layer(name, sqnr(a, b)) for name, a, b in zip(names, x, y)]
    unmatched = [name for name in [*there, *ours] if name not in names]
    return Layers(found, unmatched, "each convolution and product with its bias, in OpenVINO")


def _ends(network: Network) -> Dict[str, Node]:
    """The operation that ends each layer, by the name of the one that begins it."""
    found: Dict[str, Node] = {}
    for node in network.get_ordered_ops():
        if node.get_type_name() in _COMPUTE:
            found[node.get_friendly_name().partition(_SPLIT)[0]] = _with_bias(node)
    return found


def _with_bias(node: Node) -> Node:
    """What adds a constant to what the node puts out, or the node itself."""
    readers = [reader.get_node() for reader in node.output(0).get_target_inputs()]
    if len(readers) != 1 or readers[0].get_type_name() != "Add":
        return node
    others = [value.get_node() for value in readers[0].input_values()]
    constant = any(one.get_type_name() == "Constant" for one in others)
    return readers[0] if constant else node


def _tensors(
    job: Job, network: Network, hint: str, nodes: List[Node], images: Array
) -> List[Array]:
    """What the nodes of ``network`` put out, which becomes outputs of it."""
    answers = len(network.outputs)
    network.add_outputs([node.output(0) for node in nodes])
    networks.fix_shape(network, len(images), job.cell.image_size)
    core = openvino.Core()
    name = device.device_of(job, core)
    made = core.compile_model(network, name, device.settings(job, hint, counted=False))
    values = made(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return [np.array(values[place], np.float32) for place in range(answers, len(made.outputs))]
