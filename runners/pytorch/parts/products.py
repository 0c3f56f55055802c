"""Products of two activations in the form that quantization can replace."""

from __future__ import annotations

from typing import Callable

import torch
from torch.ao.nn.quantized import FloatFunctional


def product(by: FloatFunctional, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """x y by the module ``by``; where its class has no product (before torch 2.1), by torch's own,
    which takes no quantized tensors.
    """
    multiply: Callable[..., torch.Tensor] = getattr(by, "matmul", torch.matmul)
    return multiply(x, y)
