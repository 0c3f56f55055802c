"""The layers of a quantized or low-precision torch model beside those of its float32 model.

The float model is traced, and the other one watched by hooks while it is called. Both have the
same names; what was fused into a layer (batch normalization, an activation) is followed in the
float model's graph, so that a fused layer stands beside the last of what it does. A layer is also
fed with the float model's input to it, quantized as its own: what it does by itself.
"""

from __future__ import annotations

import contextlib
import operator
from typing import Any, ContextManager, Dict, List, NamedTuple, Optional, Set

import torch
from torch import fx, nn

from runners.fidelity import Layer, sqnr
from runners.float_parent import Layers
from runners.inference import Array
from runners.job import Job
from runners.pytorch.parts.models import device_of, trained_model
from runners.pytorch.parts.sessions import placing

HOLDER = "layers."
_WRAPPERS = ("", "model.", HOLDER)
"""Before a layer's name where the network is wrapped (Autocast, InLowPrecision)."""
_ADDITION = ".functional.activation_post_process"
"""Where eager quantization shows the result of a FloatFunctional, which is no module's own."""
_ABSORBED = (nn.BatchNorm2d, nn.ReLU, nn.ReLU6)
_MOVING = (nn.ZeroPad2d, nn.Flatten, nn.Dropout)
_ADD = (operator.add, torch.add)


class Call(NamedTuple):
    """One layer's call; ``module`` is None for an addition that is a function."""

    name: str
    module: Optional[nn.Module]
    inputs: Any
    output: torch.Tensor


class FloatLayers:
    """What every node of the float model's graph gives for the same images."""

    def __init__(self, model: nn.Module, inputs: torch.Tensor) -> None:
        self._traced = fx.symbolic_trace(model)
        self.modules = dict(self._traced.named_modules())
        watching = Watching(self._traced)
        watching.run(inputs)
        self.values = watching.values
        nodes = list(self._traced.graph.nodes)
        self.by_target = {str(node.target): node for node in nodes if node.op == "call_module"}
        self.additions = [node for node in nodes if is_addition(node)]

    def end(self, node: fx.Node, executed: Set[str]) -> fx.Node:
        """The last of what the other model's layer of that name does, where it was fused."""
        while len(node.users) == 1:
            (user,) = node.users
            kind = self.modules.get(str(user.target)) if user.op == "call_module" else None
            if not isinstance(kind, _ABSORBED) or str(user.target) in executed:
                break
            node = user
        return node

    def unmatched(self, shown: Set[str]) -> List[str]:
        """Convolutions, products and additions that none of the nodes called ``shown`` is about."""
        computing = [
            node
            for node in self.by_target.values()
            if isinstance(self.modules[str(node.target)], (nn.Conv2d, nn.Linear))
        ]
        left = [str(node.target) for node in computing if node.name not in shown]
        return left + [
            n.name for n in self.additions if not shown & {n.name, self.end(n, set()).name}
        ]


class Watching(fx.Interpreter):
    """Runs a graph and keeps what each node gives; ``calls`` gets the additions among them."""

    def __init__(self, module: fx.GraphModule, calls: Optional[List[Call]] = None) -> None:
        super().__init__(module)
        self.values: Dict[str, Any] = {}
        self._calls = [] if calls is None else calls

    def run_node(self, n: fx.Node) -> Any:
        found = super().run_node(n)
        self.values[n.name] = found
        if is_addition(n):
            self._calls.append(Call("", None, (), found))
        return found


def is_addition(node: fx.Node) -> bool:
    """Of two tensors, in floating point or quantized, with or without an activation."""
    if node.op != "call_function":
        return False
    quantized = "quantized.add" in str(node.target)
    return quantized or (
        node.target in _ADD and all(isinstance(part, fx.Node) for part in node.args)
    )


def compare(job: Job, model: nn.Module, images: Array) -> Layers:
    """The layers of ``model`` beside those of the cell's float model."""
    device = device_of(job)
    inputs = placing(device)(images)
    with torch.no_grad():
        theirs = FloatLayers(trained_model(job).to(device).eval(), inputs)
        calls = watched(model, inputs)
        executed = {name for call in calls if (name := _own_name(call, theirs))}
        return _matched(theirs, calls, executed, _guard(model))


def watched(model: nn.Module, inputs: torch.Tensor) -> List[Call]:
    """Every layer's call in the order in which they ended."""
    calls: List[Call] = []

    def keeping(name: str) -> Any:
        def hook(module: nn.Module, given: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor):
                calls.append(Call(name, module, given, output))

        return hook

    hooks = [
        module.register_forward_hook(keeping(name))
        for name, module in model.named_modules()
        if name
    ]
    try:
        if isinstance(model, fx.GraphModule):
            Watching(model, calls).run(inputs)
        else:
            model(inputs)
    finally:
        for handle in hooks:
            handle.remove()
    return calls


def _own_name(call: Call, theirs: FloatLayers) -> str:
    """The float layer that this call is of; "" for what only stands in for a fused one."""
    if call.module is None or isinstance(call.module, nn.Identity):
        return ""
    names = [call.name[len(w) :] for w in _WRAPPERS if call.name.startswith(w)]
    return next((name for name in names if name in theirs.by_target), "")


def _matched(
    theirs: FloatLayers, calls: List[Call], executed: Set[str], guard: ContextManager[Any]
) -> Layers:
    layers: List[Layer] = []
    shown: Set[str] = set()
    nodes = _nodes(theirs, calls)
    for call, node in zip(calls, nodes):
        if node is None or _belongs_to_another(theirs, node):
            continue
        end = theirs.end(node, executed)
        shown |= {node.name, end.name}
        x = numbers(theirs.values[end.name])
        alone = _alone(theirs, node, call, guard)
        isolated = sqnr(x, alone) if alone is not None else None
        layers.append(Layer(_shown(node), sqnr(x, numbers(call.output)), isolated))
    return Layers(layers, theirs.unmatched(shown), "each layer's tensor, dequantized")


def _shown(node: fx.Node) -> str:
    """A layer's name as the network has it, without the module that holds all layers."""
    name = str(node.target) if node.op == "call_module" else node.name
    return name[len(HOLDER) :] if name.startswith(HOLDER) else name


def _nodes(theirs: FloatLayers, calls: List[Call]) -> List[Optional[fx.Node]]:
    """For each call the float model's node; additions that are functions go by their order."""
    added = [call.module is None or call.name.endswith(_ADDITION) for call in calls]
    additions = iter(theirs.additions if sum(added) == len(theirs.additions) else ())
    return [
        next(additions, None) if is_added else theirs.by_target.get(_own_name(call, theirs))
        for call, is_added in zip(calls, added)
    ]


def _belongs_to_another(theirs: FloatLayers, node: fx.Node) -> bool:
    """Whether it computes nothing of its own: padding, and what follows a convolution.

    An activation behind an addition stands for both.
    """
    kind = theirs.modules.get(str(node.target)) if node.op == "call_module" else None
    if isinstance(kind, _ABSORBED):
        return any(parent.op == "call_module" for parent in node.all_input_nodes)
    return isinstance(kind, _MOVING)


def _alone(
    theirs: FloatLayers, node: fx.Node, call: Call, guard: ContextManager[Any]
) -> Optional[Array]:
    """What the layer makes of the float model's input to it; None for an addition."""
    if call.module is None or node.op != "call_module" or not isinstance(node.args[0], fx.Node):
        return None
    with guard:
        return numbers(call.module(_like(theirs.values[node.args[0].name], call.inputs[0])))


def _like(values: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
    """Float values in the type, and by the scale, of what the layer was given."""
    if not given.is_quantized:
        return values.to(given.dtype)
    return torch.quantize_per_tensor(
        values.contiguous(), given.q_scale(), given.q_zero_point(), given.dtype
    )


def numbers(tensor: torch.Tensor) -> Array:
    """Dequantized, on the host."""
    plain = tensor.dequantize() if tensor.is_quantized else tensor
    return plain.float().cpu().numpy()


def _guard(model: nn.Module) -> ContextManager[Any]:
    """What the model itself calls its layers in."""
    if not (hasattr(model, "device_type") and hasattr(model, "dtype")):
        return contextlib.nullcontext()
    dtype: Any = model.dtype
    autocast: ContextManager[Any] = torch.autocast(str(model.device_type), dtype)
    return autocast
