"""TensorFlow techniques, one file each; what they are made of is in ``parts``."""

from __future__ import annotations

import os
from typing import Any

from manifests.cell import Cell
from runners.protocols import controlled


def before_import(cell: Cell) -> None:
    """Set what TensorFlow, CUDA's libraries and TF-TRT read from the environment, before any of
    them is loaded. A processor has none of it, and as published the defaults stay.
    """
    if cell.device != "gpu":
        return
    rigorous = controlled(cell.protocol)
    if cell.technique == "tf32":
        os.environ.pop("NVIDIA_TF32_OVERRIDE", None)
    elif rigorous:  # cuBLAS, cuDNN and TensorRT all obey it
        os.environ["NVIDIA_TF32_OVERRIDE"] = "0"
    if cell.technique.startswith("tftrt"):
        _before_tensorrt(rigorous)


def float_session(job: Any) -> Any:
    """A session of the float32 model that the cell started from; imports TensorFlow."""
    from runners.tensorflow.parts import setup  # noqa: F401  before anything that imports TensorFlow
    from runners.tensorflow.parts import keras_sessions, models

    return keras_sessions.call_session(models.trained_model(job))


def _before_tensorrt(rigorous: bool) -> None:
    """An engine that can't be built is replaced by TensorFlow's own operations with no more than
    a warning: rigorous forbids that, as published the warning must reach the log.
    """
    if rigorous:
        os.environ["TF_TRT_ALLOW_ENGINE_NATIVE_SEGMENT_EXECUTION"] = "False"
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL", "2") not in ("0", "1"):
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "1"
