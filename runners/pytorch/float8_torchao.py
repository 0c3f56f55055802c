"""float8 (e4m3) products through torchao on GPUs from Ada and Hopper on.

Covers linear layers and 1 x 1 convolutions with channel counts divisible by 16; the proof says
how much that is. Timed region: quantizing and compiling; the call.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.pytorch.parts.steps import begin_on_gpu, time_session
from runners.pytorch.parts.torchao_linear import quantized_session
from runners.pytorch.probes.watched import FRAMEWORK


def infer(job: Job) -> None:
    device = begin_on_gpu(job)
    ready = quantized_session(job, device, "Float8DynamicActivationFloat8WeightConfig")
    time_session(job, ready, "float8", by_kernels=True)


def probe(job: Job) -> None:
    probing.probe(job, infer, FRAMEWORK)
