"""How OpenVINO's techniques are probed: the operations of the compiled network, as the plug-in
describes them.
"""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np

from runners.job import Job
from runners.openvino.parts import compiled, networks, profile
from runners.openvino.parts.runtime_model import Step
from runners.openvino.parts.steps import FLOAT32_HINT
from runners.precision_proof import Operation
from runners.probing import Framework

_CONVOLUTIONS = r"onvolution"
_PRODUCTS = r"MatMul|FullyConnected|Gemm"
_MATH = r"Eltwise|Math|Subgraph"
OWN: Dict[str, str] = {
    "transposed": r"Deconvolution",
    "linear": _PRODUCTS,
    "matmul": _PRODUCTS,
    "embedding": r"Gather",
    "embedding-bag": r"Gather|EmbeddingBag",
    "lstm": r"RNN|LSTM|TensorIterator|Sequence",
    "gru": r"RNN|GRU|TensorIterator|Sequence",
    "multi-head-attention": rf"{_PRODUCTS}|ScaledDotProduct|MHA",
    "scaled-dot-product": r"MatMul|ScaledDotProduct|MHA",
    "layer-norm": r"MVN",
    "group-norm": r"MVN|GroupNormalization",
    "instance-norm": r"MVN",
    "batch-norm-fused": _MATH,
    "batch-norm": _MATH,
    "relu": _MATH,
    "relu6": _MATH,
    "leaky-relu": _MATH,
    "prelu": _MATH,
    "elu": _MATH,
    "gelu": _MATH,
    "silu": _MATH,
    "hard-swish": _MATH,
    "sigmoid": _MATH,
    "tanh": _MATH,
    "softmax": r"Softmax|SoftMax",
    "residual-add": _MATH,
    "concatenation": r"Concatenation|Concat",
    "multiplication": _MATH,
    "reshape": r"Reshape",
    "transpose": r"Transpose",
    "slice": r"StridedSlice|Slice",
    "padding": r"^Pad",
    "mean": r"Reduce",
    "upsampling-nearest": r"Interpolate",
    "upsampling-bilinear": r"Interpolate",
    "max-pool": r"Pooling",
    "average-pool": r"Pooling",
    "global-average-pool": r"Pooling|Reduce",
    "rescaling": _MATH,
    "normalisation": _MATH,
}
"""By feature, where its operations are others than convolutions, as the CPU plug-in calls them."""
_NO_WORK = ("Const", "Input", "Output", "Reorder", "Result", "Convert", "FakeQuantize")


def _expected(job: Job, images: Any) -> Any:
    """The float network's answers to float32 NHWC images, in float32."""
    import openvino

    network = networks.trained(job)
    made = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": FLOAT32_HINT})
    return np.array(made(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))[0], np.float32)


def _operations(job: Job, images: Any) -> List[Operation]:
    network, made = job.made
    steps = profile.steps_of(network, made)
    return [
        _operation(one)
        for one in steps
        if one.layer not in _NO_WORK and not one.kernel.startswith("unknown")  # a view
    ]


def _operation(step: Step) -> Operation:
    kind = step.kind
    return Operation(f"{step.layer} {step.kernel}", "float32" if kind == "unknown" else kind, 1)


def _resized(job: Job, images: Any) -> Any:
    """The network that was made, for pictures of that size."""
    network = networks.read(job.folder / "model.xml")
    networks.fix_shape(network, len(images), images.shape[1])
    import openvino

    made = openvino.Core().compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": FLOAT32_HINT})
    ready = compiled.session(network, made)
    assert ready.outputs is not None
    return ready.outputs(ready.call(ready.place(images)))


FRAMEWORK = Framework(
    expected=_expected,
    operations=_operations,
    own=OWN,
    otherwise=_CONVOLUTIONS,
    computing=f"{_CONVOLUTIONS}|{_PRODUCTS}",
    source="OpenVINO's runtime model of the compiled network",
    resized=_resized,
)
