"""Mixed precision in bfloat16 (Keras' policy `mixed_bfloat16`): what a processor has in place of
the paper's float16.

Timed region: every optimizer step and every epoch.
"""

from __future__ import annotations

from runners.failures import Unsupported, first_line
from runners.job import Job
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.finetuning import train_application
import tensorflow as tf


def train(job: Job) -> None:
    begin(job)
    try:
        train_application(job, "mixed_bfloat16")
    except tf.errors.InvalidArgumentError as error:
        if "No OpKernel was registered" not in str(error):
            raise
        raise Unsupported(first_line(error)) from error
