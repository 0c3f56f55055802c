"""int8 products through torchao: weights by channel, activations at each call.

Covers linear layers and 1 x 1 convolutions; the proof says how much that is. Timed region:
quantizing and compiling; the call.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.pytorch.parts.proof import hide_batch_norms
from runners.pytorch.parts.steps import begin, time_session
from runners.pytorch.parts.torchao_linear import quantized_session
from runners.pytorch.probes.watched import FRAMEWORK


def infer(job: Job) -> None:
    device = begin(job)
    ready = quantized_session(job, device, "Int8DynamicActivationInt8WeightConfig")
    hide_batch_norms(job)
    time_session(job, ready, "int8", by_kernels=device.type == "cuda")


def probe(job: Job) -> None:
    probing.probe(job, infer, FRAMEWORK)
