"""TensorFlow as the study needs it: Keras 2 (tf_keras), oneDNN, the cell's threads, a quiet log.

Import this module before any other that imports TensorFlow: it sets variables that are read
at import.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# By itself TensorFlow takes oneDNN's kernels only on processors with AVX512-VNNI or AMX; elsewhere
# a training step of a convolutional network takes two to three times as long without them.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

import tensorflow as tf

from runners.failures import Unsupported
from runners.job import Job
from runners.tensorflow.parts import tensor_float32


def begin(job: Job) -> None:
    """Threads, seed, device, TF32 of the cell. Raises Unsupported without the device or Keras 2."""
    _need_keras()
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.random.set_seed(job.cell.seed)
    if job.cell.device == "cpu":
        tf.config.set_visible_devices([], "GPU")
        return
    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        raise Unsupported("TensorFlow sees no GPU: no NVIDIA GPU, no driver, or a CPU build")
    tensor_float32.choose(job)
    for gpu in gpus:  # else it takes the whole memory, and NVML sees nothing but that
        tf.config.experimental.set_memory_growth(gpu, True)


def _need_keras() -> None:
    """From 2.16 on TensorFlow brings Keras 3; Keras 2 is a package of its own, read when used."""
    try:
        _ = tf.keras.Model
    except ImportError as error:
        raise Unsupported(
            f"TensorFlow {tf.__version__} without Keras 2; install tf_keras beside it"
        ) from error
