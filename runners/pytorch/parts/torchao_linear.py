"""torchao's dynamic quantization of what it really covers: matrix products.

A convolution of 1 x 1 with stride 1 is a matrix product over channels, and becomes one here;
the other convolutions stay in the activations' type. (torchao 0.18: int8 covers linear layers;
float8 convolutions need compute capability 10 and MSLK, float8 products 8.9 and channel counts
divisible by 16.)
"""

from __future__ import annotations

import inspect
from typing import Any, Callable

import torch
from torch import nn

from runners.failures import Unsupported, first_line
from runners.inference import Session
from runners.job import Job
from runners.pytorch.parts.compiled import channels_last, compiled_session
from runners.pytorch.parts.low_precision import InLowPrecision
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.refusals import refusals_of


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


def quantized_session(job: Job, device: torch.device, config_name: str) -> Session:
    """The model in bfloat16 with products quantized by one of torchao's configurations, compiled
    as ``compiled-bfloat16`` is.

    Raises Unsupported with torchao's own words where it can't.
    """
    try:
        from torchao import quantization
    except ImportError as error:
        raise Unsupported(f"torchao: {first_line(error)}") from error
    with job.phase("build"):
        model = InLowPrecision(with_products(trained_model(job)), torch.bfloat16)
        placed = channels_last(model.eval(), device)
    with refusals_of("torchao"):
        config = configured(getattr(quantization, config_name), device)
        with job.phase("convert"):
            quantization.quantize_(placed, config, _takes)
        return compiled_session(job, placed, device)


def configured(config: Callable[..., Any], device: torch.device) -> Any:
    """torchao's configuration without its own settings of Inductor, which the float baseline
    would not have; on a processor without VNNI in the reduced range, as PT2E.
    """
    options = {"set_inductor_config": False, "reduce_range": reduced_range(device)}
    accepted = inspect.signature(config).parameters
    return config(**{name: value for name, value in options.items() if name in accepted})


def reduced_range(device: torch.device) -> bool:
    """Whether 8-bit products of two full ranges would saturate here (a processor without VNNI)."""
    try:
        from torchao.utils import should_reduce_range
    except ImportError:
        return False
    return bool(should_reduce_range(device))


def _takes(module: nn.Module, name: str) -> bool:
    """Products whose sizes the kernels accept."""
    return isinstance(module, nn.Linear) and not (
        module.in_features % 16 or module.out_features % 16
    )
