"""How torch's techniques are probed: the float network beside, and each feature's own operators."""

from __future__ import annotations

from typing import Any, Dict, List

import torch

from runners.job import Job
from runners.precision_proof import Operation
from runners.probing import ELSE, Framework
from runners.pytorch.probes import networks
from runners.pytorch.probes.operations import executed
from runners.session import Session

_CONVOLUTIONS = r"conv"
_PRODUCTS = r"linear|addmm|::mm|bmm|_int_mm"
OWN: Dict[str, str] = {
    "transposed": r"conv",
    "linear": _PRODUCTS,
    "matmul": r"::bmm|::matmul|::mm\b|quantized::matmul",
    "embedding": r"embedding|index_select",
    "embedding-bag": r"embedding",
    "lstm": rf"lstm|mkldnn_rnn{ELSE}{_PRODUCTS}",
    "gru": rf"gru{ELSE}{_PRODUCTS}",
    "multi-head-attention": r"linear|addmm|::mm|bmm|attention",
    "scaled-dot-product": r"attention|bmm|::matmul",
    "layer-norm": r"layer_norm",
    "group-norm": r"group_norm",
    "instance-norm": r"instance_norm|batch_norm",
    "batch-norm-fused": r"batch_norm",
    "batch-norm": r"batch_norm",
    "relu": r"relu",
    "relu6": r"relu6|hardtanh|clamp",
    "leaky-relu": r"leaky_relu",
    "prelu": r"prelu",
    "elu": r"elu\b|elu_",
    "gelu": r"gelu",
    "silu": r"silu|sigmoid",
    "hard-swish": r"hardswish",
    "sigmoid": r"sigmoid",
    "tanh": r"tanh",
    "softmax": r"softmax",
    "residual-add": r"::add\b|::add_",
    "concatenation": r"::cat",
    "multiplication": r"::mul\b",
    "reshape": r"::(reshape|view|_unsafe_view|_reshape_alias)",
    "transpose": r"::(transpose|permute)",
    "slice": r"::slice",
    "padding": r"pad",
    "mean": r"::mean",
    "upsampling-nearest": r"upsample",
    "upsampling-bilinear": r"upsample",
    "max-pool": r"max_pool",
    "average-pool": r"avg_pool",
    "global-average-pool": r"avg_pool|::mean",
    "rescaling": r"::mul",
    "normalisation": r"::(sub|div)",
}
"""By feature, where its operators are others than convolutions."""


def _expected(job: Job, images: Any) -> Any:
    """The float network's answers to float32 NHWC images."""
    placed = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    with torch.inference_mode():
        return networks.built(job)(placed).numpy()


def _operations(job: Job, images: Any) -> List[Operation]:
    made: Session = job.made
    return executed(made, made.place(images))


FRAMEWORK = Framework(
    expected=_expected,
    operations=_operations,
    own=OWN,
    otherwise=_CONVOLUTIONS,
    computing=f"{_CONVOLUTIONS}|{_PRODUCTS}",
    source="operators that one call dispatched, with the types of their tensors",
)
