"""How the techniques that end in a .tflite file are probed: the Keras network beside, and the
operations of the file with the types that they compute in.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from runners.job import Job
from runners.precision_proof import Operation
from runners.probing import ELSE, Framework
from runners.tensorflow.parts import litert
from runners.tensorflow.parts.files import TFLITE_FILE

_CONVOLUTIONS = r"CONV"
_PRODUCTS = r"FULLY_CONNECTED|BATCH_MATMUL"
_ANY_PRODUCT = rf"{_CONVOLUTIONS}|{_PRODUCTS}"
_NORMALIZING = r"RSQRT|SQUARED_DIFFERENCE|MEAN|MUL|ADD|SUB"
OWN: Dict[str, str] = {
    "transposed": r"TRANSPOSE_CONV",
    "conv1d": _CONVOLUTIONS,
    "conv3d": r"CONV_3D",
    "linear": r"FULLY_CONNECTED",
    "matmul": r"BATCH_MATMUL",
    "embedding": r"GATHER|EMBEDDING",
    "embedding-bag": r"GATHER|EMBEDDING",
    "lstm": rf"LSTM{ELSE}WHILE{ELSE}FULLY_CONNECTED",
    "gru": rf"GRU{ELSE}WHILE{ELSE}FULLY_CONNECTED",
    "multi-head-attention": _PRODUCTS,
    "scaled-dot-product": r"BATCH_MATMUL",
    "layer-norm": _NORMALIZING,
    "group-norm": _NORMALIZING,
    "instance-norm": _NORMALIZING,
    "batch-norm-fused": r"^(MUL|ADD)$",
    "batch-norm": r"^(MUL|ADD)$",
    "relu": r"^RELU$",
    "relu6": r"^RELU6$",
    "leaky-relu": r"LEAKY_RELU",
    "prelu": r"PRELU",
    "elu": r"^ELU$",
    "gelu": r"GELU|ERF",
    "silu": r"LOGISTIC",
    "hard-swish": r"HARD_SWISH|RELU6|^MUL$",
    "sigmoid": r"LOGISTIC",
    "tanh": r"TANH",
    "softmax": r"SOFTMAX",
    "residual-add": r"^ADD$",
    "concatenation": r"CONCATENATION",
    "multiplication": r"^MUL$",
    "reshape": r"RESHAPE",
    "transpose": r"^TRANSPOSE$",
    "slice": r"SLICE",
    "padding": r"^PAD",
    "mean": r"MEAN",
    "upsampling-nearest": r"RESIZE",
    "upsampling-bilinear": r"RESIZE",
    "max-pool": r"MAX_POOL",
    "average-pool": r"AVERAGE_POOL",
    "global-average-pool": r"MEAN|AVERAGE_POOL",
    "rescaling": r"^(MUL|DIV)$",
    "normalisation": r"^(SUB|MUL|DIV)$",
}
"""By feature, where its operations are others than convolutions."""


def _expected(job: Job, images: Any) -> Any:
    """The float network's answers to float32 NHWC images."""
    from runners.tensorflow.parts import setup  # before anything that imports TensorFlow
    from runners.tensorflow.parts import models

    if job.float_model is None:
        setup.begin(job)
    return np.asarray(models.trained_model(job)(images, training=False))


def _operations(job: Job, images: Any) -> List[Operation]:
    """From the file's own tensors, as the interpreter has them when its delegate took its part."""
    return litert.operations(Path(job.made))


def _resized(job: Job, images: Any) -> Any:
    """By an interpreter for images of that size."""
    path = job.folder / TFLITE_FILE
    made = litert.session(path, len(images), images.shape[1], job.threads)
    assert made.outputs is not None
    return made.outputs(made.call(made.place(images)))


FRAMEWORK = Framework(
    expected=_expected,
    operations=_operations,
    own=OWN,
    otherwise=_CONVOLUTIONS,
    computing=_ANY_PRODUCT,
    source="tensor types of the TFLite graph",
    resized=_resized,
)
