"""The layers of a quantized exported graph (PT2E) beside those of the exported float model.

Both are graphs of the same operations with the same names; the quantized one has roundings in
between, and computes in float32 what Inductor's int8 kernels compute when it is compiled.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional

import torch
from torch import fx, nn

from runners.fidelity import Layer, sqnr
from runners.float_parent import Layers
from runners.inference import Array
from runners.job import Job
from runners.pytorch.parts import exported
from runners.pytorch.parts.layers import HOLDER, Watching, numbers
from runners.pytorch.parts.models import device_of, trained_model
from runners.pytorch.parts.sessions import placing

_COMPUTING = ("aten.conv2d", "aten.linear", "aten.add", "aten.mean", "aten.adaptive_avg_pool2d")
_ABSORBED = ("aten.batch_norm", "aten._native_batch_norm", "aten.relu", "aten.hardtanh")


def compare(job: Job, model: nn.Module, images: Array) -> Layers:
    """The layers of ``model`` beside those of the cell's float model."""
    inputs = placing(device_of(job))(images)
    parent: Any = exported.program(job, trained_model(job)).module()
    with torch.no_grad():
        theirs, ours = _values(parent, inputs), _values(model, inputs)
    nodes = {node.name: node for node in model.graph.nodes}  # type: ignore[union-attr]
    layers: List[Layer] = []
    unmatched: List[str] = []
    for node in parent.graph.nodes:
        if not _is(node, _COMPUTING) or not isinstance(theirs[node.name], torch.Tensor):
            continue
        chain = _chain(node)
        end = _end(chain, nodes)
        if end is None or ours[end.name].shape != theirs[chain[-1].name].shape:
            unmatched.append(_name(node))
            continue
        noise = sqnr(numbers(theirs[chain[-1].name]), numbers(ours[end.name]))
        layers.append(Layer(_name(node), noise))
    return Layers(layers, unmatched, "the exported graph, before it is compiled")


def _values(module: Any, inputs: torch.Tensor) -> Dict[str, Any]:
    watching = Watching(module)
    watching.run(inputs)
    return watching.values


def _is(node: fx.Node, operations: Any) -> bool:
    return node.op == "call_function" and str(node.target).startswith(operations)


def _chain(node: fx.Node) -> List[fx.Node]:
    """A float operation with the normalization and activation that only it feeds."""
    found = [node]
    while len(found[-1].users) == 1:
        (user,) = found[-1].users
        if not _is(user, _ABSORBED):
            break
        found.append(user)
    return found


def _end(chain: List[fx.Node], nodes: Dict[str, fx.Node]) -> Optional[fx.Node]:
    """Where the quantized graph has what the chain gives, rounded where it is rounded."""
    end = next((nodes[one.name] for one in reversed(chain) if one.name in nodes), None)
    while end is not None and end.users:
        rounding = [user for user in end.users if "quantize_per_tensor" in str(user.target)]
        if len(rounding) < len(end.users):
            break
        end = rounding[0]
    return end


def _name(node: fx.Node) -> str:
    """That of the layer whose weights it takes, else its own."""
    weights = node.args[1] if len(node.args) > 1 else None
    name = ""
    if isinstance(weights, fx.Node) and weights.op == "get_attr":
        name = str(weights.target).rpartition(".")[0]
    return (name[len(HOLDER) :] if name.startswith(HOLDER) else name) or str(node.name)
