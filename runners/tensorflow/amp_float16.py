"""Automatic mixed precision as the paper has it (shafique2023, section 6.1): Keras' policy
`mixed_float16`, with a scaled loss, on a GPU.

Timed region: every optimizer step and every epoch.
"""

from __future__ import annotations

from runners.failures import Unsupported
from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.finetuning import train_application


def train(job: Job) -> None:
    begin(job)
    if job.cell.device != "gpu":
        raise Unsupported("TensorFlow has no float16 training for processors; see amp-bfloat16")
    train_application(job, "mixed_float16")
