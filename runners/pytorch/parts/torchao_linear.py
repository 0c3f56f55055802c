"""torchao's dynamic quantization of what it really covers: matrix products.

A convolution of 1 x 1 with stride 1 is a matrix product over channels, and becomes one here;
the other convolutions stay in the activations' type. (torchao 0.18: int8 covers linear layers;
float8 convolutions need compute capability 10 and MSLK, float8 products 8.9 and channel counts
divisible by 16.)
"""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import nn

from runners.failures import Unsupported, first_line, is_out_of_memory
from runners.inference import Session
from runners.job import Job
from runners.pytorch.parts.compiled import channels_last, compiled_session
from runners.pytorch.parts.models import trained_model

MakeConfig = Callable[[Any], Any]


class Pointwise(nn.Module):
    """A 1 x 1 convolution as a linear layer over channels."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.linear = nn.Linear(convolution.in_channels, convolution.out_channels)
        self.linear.weight = nn.Parameter(convolution.weight.detach().flatten(1).clone())
        self.linear.bias = convolution.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def with_products(model: nn.Module) -> nn.Module:
    """Replace every 1 x 1 convolution of stride 1 inside ``model``, in place."""
    for name, child in model.named_children():
        if isinstance(child, nn.Conv2d) and _is_pointwise(child):
            setattr(model, name, Pointwise(child))
        else:
            with_products(child)
    return model


def _is_pointwise(convolution: nn.Conv2d) -> bool:
    shape = (convolution.kernel_size, convolution.stride, convolution.groups)
    return shape == ((1, 1), (1, 1), 1)


def quantized_session(job: Job, device: torch.device, make_config: MakeConfig) -> Session:
    """The model in bfloat16 with quantized products, compiled.

    Raises Unsupported with torchao's own words where it can't.
    """
    try:
        from torchao import quantization
    except ImportError as error:
        raise Unsupported(f"torchao: {first_line(error)}") from error
    with job.phase("build"):
        model = channels_last(InBfloat16(with_products(trained_model(job))).eval(), device)
    try:
        with job.phase("convert"):
            quantization.quantize_(model, make_config(quantization), _takes)
        return compiled_session(job, model, device)
    except (Unsupported, MemoryError):
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise Unsupported(f"torchao: {type(error).__name__}: {first_line(error)}") from error


def _takes(module: nn.Module, name: str) -> bool:
    """Products whose sizes the kernels accept."""
    return isinstance(module, nn.Linear) and not (
        module.in_features % 16 or module.out_features % 16
    )


class InBfloat16(nn.Module):
    """Preprocessing in float32, everything else in bfloat16; float32 in and out."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.preprocess = getattr(model, "preprocess", nn.Identity())
        self.layers = getattr(model, "layers", model).to(torch.bfloat16)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.layers(self.preprocess(x).to(torch.bfloat16)).float()
        return logits
