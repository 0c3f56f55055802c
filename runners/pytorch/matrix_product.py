"""The largest rate of multiply-adds here, in float32, bfloat16 and INT8: a large matrix product.

Of no paper: the limit beside which the rungs of the processor's ladder are read. float32 and
bfloat16 by ``torch.mm`` (oneDNN or MKL), INT8 by the product of quantized layers that torch's
engine for this processor has, packed weights, unsigned inputs. Timed region: the product, its
matrices and the place of its answer being there; an INT8 answer is new in each call.
"""

from __future__ import annotations

from typing import Callable

import torch

from runners.job import Job
from runners.peak_rates import ProductRecipe, record_rate
from runners.pytorch.parts import eager
from runners.pytorch.parts.steps import begin_on_cpu


def quantize(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(ProductRecipe)
    generator = torch.Generator().manual_seed(job.cell.seed)
    left, right = (torch.rand(recipe.side, recipe.side, generator=generator) for _ in range(2))
    with torch.inference_mode():
        record_rate(job, recipe, "float32", _product(left, right, torch.float32))
        record_rate(job, recipe, "bfloat16", _product(left, right, torch.bfloat16))
        record_rate(job, recipe, "int8", _quantized_product(job, left, right))


def _product(
    left: torch.Tensor, right: torch.Tensor, dtype: torch.dtype
) -> Callable[[], torch.Tensor]:
    one, other = left.to(dtype), right.to(dtype)
    answer = torch.empty_like(one)
    return lambda: torch.mm(one, other, out=answer)


def _quantized_product(
    job: Job, left: torch.Tensor, right: torch.Tensor
) -> Callable[[], torch.Tensor]:
    """Of 0 ... 1 in 8 bits; the answer's scale holds sums of that many products."""
    job.settings["torch.backends.quantized.engine"] = eager.choose_backend()
    step = 1 / 255
    inputs = torch.quantize_per_tensor(left, step, 0, torch.quint8)
    weights = torch.quantize_per_tensor(right - 0.5, step, 0, torch.qint8)
    packed = torch.ops.quantized.linear_prepack(weights, None)
    largest = step * len(right) / 2
    return lambda: torch.ops.quantized.linear(inputs, packed, largest, 128)
