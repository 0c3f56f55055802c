"""The topologies of runners.models.bnn_pynq in torch, in float32 or with Brevitas' quantizers.

All scales are 1: sums of products are whole numbers, which float32 holds exactly.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np
import torch
from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear
from brevitas.quant.binary import SignedBinaryActPerTensorConst, SignedBinaryWeightPerTensorConst
from brevitas.quant.ternary import SignedTernaryWeightPerTensorConst
from torch import nn

from runners.models.bnn_pynq import EPSILON, BinaryNetwork, Product, check_arrays

Array = Any
Inner = Tuple[str, torch.Tensor, torch.Tensor, torch.Tensor]
"""A product's name, its inputs, its weights as they are multiplied, its sums."""

_WEIGHTS = {
    "w1a1": SignedBinaryWeightPerTensorConst,
    "w2a1": SignedTernaryWeightPerTensorConst,
}
FLOAT = "float32"


class Network(nn.Module):
    """float32 (n, channels, height, width), whole numbers -> logits (n, classes)."""

    def __init__(self, described: BinaryNetwork, scheme: str) -> None:
        super().__init__()
        self.described = described
        quantized = scheme != FLOAT
        self.entry = _sign() if quantized and described.binary_input else nn.Identity()
        self.products = nn.ModuleDict({p.name: _product(p, scheme) for p in described.products})
        self.norms = nn.ModuleDict({p.name: _norm(described, p) for p in described.products})
        self.activations = nn.ModuleDict(
            {p.name: _sign() if quantized else nn.ReLU() for p in described.products[:-1]}
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.entry(x)
        for product in self.described.products:
            if not product.kernel and x.dim() > 2:
                x = x.flatten(1)
            x = nn.functional.dropout(x, self.described.dropout, self.training)
            x = self.products[product.name](x)
            if self.described.is_last(product):
                classes = product.outputs
                return self.norms[product.name](x.reshape(-1, 1)).reshape(-1, classes)
            x = self.activations[product.name](self.norms[product.name](x))
            if product.pooled:
                x = nn.functional.max_pool2d(x, 2)
        raise ValueError(f"{self.described.name} has no products")


def _sign() -> nn.Module:
    """1 where it is 0 or more, else -1."""
    return QuantIdentity(act_quant=SignedBinaryActPerTensorConst, min_val=-1.0, max_val=1.0)


def _product(product: Product, scheme: str) -> nn.Module:
    if scheme == FLOAT:
        if product.kernel:
            return nn.Conv2d(product.inputs, product.outputs, product.kernel, bias=False)
        return nn.Linear(product.inputs, product.outputs, bias=False)
    how = {"bias": False, "weight_quant": _WEIGHTS[scheme], "weight_scaling_const": 1.0}
    if product.kernel:
        return QuantConv2d(product.inputs, product.outputs, product.kernel, **how)
    return QuantLinear(product.inputs, product.outputs, **how)


def _norm(described: BinaryNetwork, product: Product) -> nn.Module:
    if product.kernel:
        return nn.BatchNorm2d(product.outputs, EPSILON)
    return nn.BatchNorm1d(described.scales(product), EPSILON)


def load_arrays(model: Network, arrays: Dict[str, Array]) -> None:
    """Copy neutral weights into ``model``. Raises DamagedInput."""
    check_arrays(model.described, arrays)
    with torch.no_grad():
        for product in model.described.products:
            kernel = torch.from_numpy(np.ascontiguousarray(arrays[f"{product.name}.kernel"]))
            turned = kernel.permute(3, 2, 0, 1) if product.kernel else kernel.t()
            model.products[product.name].weight.copy_(turned)
            for name, values in _statistics(model.norms[product.name]).items():
                values.copy_(torch.from_numpy(arrays[f"{product.name}_bn.{name}"]))


def arrays_of(model: Network) -> Dict[str, Array]:
    """The neutral weights of ``model``: kernels as they are multiplied."""
    arrays: Dict[str, Array] = {}
    for product in model.described.products:
        weight = multiplied_weight(model.products[product.name])
        turned = weight.permute(2, 3, 1, 0) if product.kernel else weight.t()
        arrays[f"{product.name}.kernel"] = np.ascontiguousarray(turned.numpy())
        for name, values in _statistics(model.norms[product.name]).items():
            arrays[f"{product.name}_bn.{name}"] = values.detach().numpy().copy()
    return arrays


def _statistics(norm: nn.Module) -> Dict[str, Any]:
    return {
        "gamma": norm.weight, "beta": norm.bias,
        "moving_mean": norm.running_mean, "moving_variance": norm.running_var,
    }  # fmt: skip


def multiplied_weight(layer: nn.Module) -> torch.Tensor:
    """The weights that go into the product: quantized, where the layer quantizes."""
    with torch.no_grad():
        if isinstance(layer, (QuantConv2d, QuantLinear)):
            return layer.quant_weight().value.detach().clone()
        return layer.weight.detach().clone()


def inside(model: Network, inputs: torch.Tensor) -> List[Inner]:
    """What every product takes and gives for these inputs, in the order of execution."""
    found: List[Inner] = []
    hooks = []
    for name, layer in model.products.items():

        def keep(layer: nn.Module, given: Any, sums: torch.Tensor, name: str = name) -> None:
            found.append((name, given[0].detach(), multiplied_weight(layer), sums.detach()))

        hooks.append(layer.register_forward_hook(keep))
    try:
        with torch.inference_mode():
            model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return found
