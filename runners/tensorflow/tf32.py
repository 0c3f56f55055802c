"""float32 with TF32 tensor cores allowed (Ampere and later), as TensorFlow has it by default.

The other rigorous techniques forbid them. Timed region: every step and epoch; the call of the
serving signature on one batch, input and output as tensors.
"""

from __future__ import annotations

from runners.failures import Unsupported
from runners.job import Job
from runners.tensorflow import signature
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.finetuning import train_application


def train(job: Job) -> None:
    _need_gpu(job)
    begin(job)
    train_application(job, "float32", promised="tf32")


def infer(job: Job) -> None:
    _need_gpu(job)
    begin(job)
    signature.time_signature(job, promised="tf32")


def _need_gpu(job: Job) -> None:
    if job.cell.device != "gpu":
        raise Unsupported("TF32 is a type of GPUs' tensor cores; a processor has none")
