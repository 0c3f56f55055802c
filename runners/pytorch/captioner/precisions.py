"""Which layers of a quantized captioner compute in float: by their modules, and by their graph.

A layer counts as quantized only where every operation of it that computes is: convolutions and
products, embeddings, normalisation, softmax, additions. What only moves or clips numbers (views,
ReLU) takes what it is given.
"""

from __future__ import annotations

import operator
import re
from functools import lru_cache
from typing import Any, Callable, FrozenSet, Iterable, List, Mapping, Optional, Set

import torch
from torch import nn
from torch.ao.nn.quantized import FloatFunctional, QFunctional
from torch.ao.nn.quantized import Softmax as QuantizedSoftmax
from torch.nn import functional

from runners.models.captioner import COMPONENTS, Captioner, layers_of
from runners.pytorch.captioner.network import layer_of

_FLOAT_MODULES = (
    nn.Conv2d, nn.Linear, nn.Embedding, nn.LayerNorm, nn.Softmax, FloatFunctional,
)  # fmt: skip
_FLOAT_FUNCTIONS = frozenset(
    [torch.matmul, torch.add, operator.add, functional.linear, functional.conv2d,
     functional.layer_norm, functional.softmax, functional.embedding]
)  # fmt: skip
_ATEN = re.compile(r"^aten\.(conv2d|linear|matmul|bmm|add|layer_norm|softmax|embedding)\b")


def components(network: Captioner, layers: Iterable[str], kept: Iterable[str]) -> List[str]:
    """The components that layers belong to, without ``kept``, in the network's order."""
    found, left = set(layers), set(kept)
    of = layers_of(network)
    return [name for name in COMPONENTS if name not in left and found.intersection(of[name])]


def float_modules(model: nn.Module) -> Set[str]:
    """The layers with a module that computes in float. Observers and stubs aren't layers."""
    return {
        layer_of(name)
        for name, module in model.named_modules()
        if (type(module) in _FLOAT_MODULES and not _replaced(module)) or _float_inside(name, module)
    }


def _float_inside(name: str, module: nn.Module) -> bool:
    """Whether it is a softmax or one of the two products of attention's scores, and calls an
    operator that computes in float.
    """
    multiplies = isinstance(module, QFunctional) and name.endswith((".products", ".mix"))
    used = [torch.ops.quantized.matmul] if multiplies else []
    used += [torch.ops.quantized.softmax] if isinstance(module, QuantizedSoftmax) else []
    return bool(float_inside().intersection(used))


@lru_cache(maxsize=None)
def float_inside() -> FrozenSet[Any]:
    """Quantized operators that dequantize, compute in float and quantize again on this machine.

    Seen in a call of each on a few numbers: what it calls in turn is in the profile.
    """
    few = torch.quantize_per_tensor(torch.eye(4).reshape(1, 1, 4, 4), 0.1, 0, torch.quint8)
    calls = {
        torch.ops.quantized.matmul: lambda: torch.ops.quantized.matmul(few, few, 0.1, 0),
        torch.ops.quantized.softmax: lambda: torch.ops.quantized.softmax(few, -1, 1 / 256, 0),
    }
    return frozenset(operator for operator, call in calls.items() if _calls_float(call))


def _calls_float(call: Callable[[], Any]) -> bool:
    with torch.autograd.profiler.profile(use_kineto=False) as profiler:
        call()
    names = {event.key for event in profiler.key_averages()}
    return bool(names & {"aten::matmul", "aten::bmm", "aten::softmax", "aten::_softmax"})


def _replaced(module: nn.Module) -> bool:
    """Whether torchao put a quantized tensor in the place of the module's weight."""
    weight = getattr(module, "weight", None)
    return weight is not None and type(weight) not in (nn.Parameter, torch.Tensor)


def float_functions(model: Any, scopes: Mapping[str, Any]) -> Set[str]:
    """The same for functions of a graph of FX; ``scopes``: the module of each node by its name."""
    functions = _FLOAT_FUNCTIONS | float_inside()
    found = set()
    for node in model.graph.nodes:
        if node.op == "call_function" and node.target in functions:
            found.add(layer_of(_module_of(node, scopes)))
    return found - {""}


def _module_of(node: Any, scopes: Mapping[str, Any]) -> str:
    """The module of a node of the traced graph; of one that replaced it, by its scale's name."""
    if node.name in scopes:
        return str(scopes[node.name][0])
    named = [re.sub(r"_scale_\d+$", "", str(one.target)) for one in node.all_input_nodes
             if one.op == "get_attr" and "_scale_" in str(one.target)]  # fmt: skip
    return named[0] if named else ""


def float_nodes(model: Any) -> Set[str]:
    """The same for an exported program's graph: an operation that no quantized number goes into."""
    found = set()
    for node in model.graph.nodes:
        if node.op != "call_function" or not _ATEN.match(str(node.target)):
            continue
        layer = _scope(node)
        if layer and not any(_dequantizes(one) for one in node.all_input_nodes):
            found.add(layer)
    return found


def _scope(node: Any) -> Optional[str]:
    """The layer whose module an exported operation comes from."""
    for path, _ in reversed(list(node.meta.get("nn_module_stack", {}).values())):
        name = re.sub(r"^L\['self'\]\.?", "", str(path))
        if name:
            return layer_of(name)
    return None


def _dequantizes(node: Any) -> bool:
    """Also through views, which only move what was dequantized."""
    for _ in range(8):
        if "dequantize" in str(node.target):
            return True
        if node.op != "call_function" or len(node.all_input_nodes) != 1:
            return False
        node = node.all_input_nodes[0]
    return False
