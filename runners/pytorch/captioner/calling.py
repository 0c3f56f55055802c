"""How captioners in torch are called, trained and proven."""

from __future__ import annotations

from typing import Any, Callable, Dict, Tuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from manifests.manifest import Proof
from runners.captions.evaluation import Answer
from runners.captions.training import CaptionStep
from runners.captions.words import PAD
from runners.precision_proof import proof_by_type
from runners.pytorch.parts.kernels import counted, operator_type
from runners.pytorch.parts.proof import executed_operators, proof_of

Array = Any
Placed = Tuple[torch.Tensor, torch.Tensor]

_FLOAT = (
    "aten::conv2d", "aten::linear", "aten::matmul", "aten::layer_norm", "aten::softmax",
    "aten::embedding", "aten::add",
)  # fmt: skip


def placed(pictures: Array, words: Array) -> Placed:
    """float32 NHWC and int64 (n, length) as the network takes them."""
    tensor = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).contiguous()
    return tensor, torch.from_numpy(np.ascontiguousarray(words))


def answering(model: Callable[..., torch.Tensor]) -> Answer:
    """The network without gradients, from arrays to arrays."""

    def answer(pictures: Array, words: Array) -> Array:
        with torch.no_grad():
            found: Array = model(*placed(pictures, words)).float().numpy()
        return found

    return answer


def step_function(model: nn.Module, rate: float, epsilon: float = 1e-7) -> CaptionStep:
    """Forward, loss, backward, Adam."""
    optimizer = torch.optim.Adam(model.parameters(), rate, eps=epsilon)

    def take_step(pictures: Array, read: Array, right: Array, learning_rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        logits = model(*placed(pictures, read))
        answers = torch.from_numpy(right).flatten()
        loss = functional.cross_entropy(logits.flatten(0, 1), answers, ignore_index=PAD)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return take_step


def prove_by_operators(call: Callable[[], Any], promised: str) -> Proof:
    """By the names of the operators that one call executes: quantized modules have their own."""
    with torch.autograd.profiler.profile(use_kineto=False) as profiler:
        call()
    operations: Dict[str, Dict[str, int]] = {"int8": {}, "float32": {}}
    for event in profiler.key_averages():
        if event.key.startswith("quantized::"):
            operations["int8"][event.key] = event.count
        elif event.key in _FLOAT:
            operations["float32"][event.key] = event.count
    return proof_of(operations, promised)


def prove_by_inputs(call: Callable[[], Any], promised: str) -> Proof:
    """By the types of the operators' inputs, inside compiled graphs as well."""
    operators = executed_operators(call)
    counts = counted((name, operator_type(name, types)) for name, types in operators)
    source = "input types of the operators executed in one call, torch.profiler"
    return proof_by_type(counts, promised, source)
