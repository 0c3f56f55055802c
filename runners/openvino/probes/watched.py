"""How OpenVINO's techniques are probed: the operations of the compiled network, as the plug-in
describes them.
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np

from runners.job import Job
from runners.openvino.parts import compiled, networks, profile
from runners.openvino.parts.runtime_model import Step
from runners.openvino.parts.steps import FLOAT32_HINT
from runners.precision_proof import Operation
from runners.probing import Framework

_CONVOLUTIONS = r"onvolution"
_PRODUCTS = r"MatMul|FullyConnected|Gemm"
_OF_IT = r" of "
"""Behind the kernel that computes nodes of the feature: the plug-in compiles those into others."""
_NODES: Dict[str, Tuple[str, ...]] = {
    "batch-norm-fused": ("batchnormalization",),
    "batch-norm": ("batchnormalization",),
    "relu": ("relu",),
    "relu6": ("clip",),
    "leaky-relu": ("leakyrelu",),
    "prelu": ("prelu",),
    "elu": ("elu",),
    "gelu": ("erf",),
    "silu": ("sigmoid",),
    "hard-swish": ("hardswish",),
    "sigmoid": ("sigmoid",),
    "tanh": ("tanh",),
    "residual-add": ("add",),
    "multiplication": ("mul",),
    "rescaling": ("mul",),
    "normalisation": ("sub", "div"),
}
"""How those nodes' names begin, before their number: see runners.onnx_models.probe_graph."""
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
    "batch-norm-fused": _OF_IT,
    "batch-norm": _OF_IT,
    "relu": _OF_IT,
    "relu6": _OF_IT,
    "leaky-relu": _OF_IT,
    "prelu": _OF_IT,
    "elu": _OF_IT,
    "gelu": _OF_IT,
    "silu": _OF_IT,
    "hard-swish": _OF_IT,
    "sigmoid": _OF_IT,
    "tanh": _OF_IT,
    "softmax": r"Softmax|SoftMax",
    "residual-add": _OF_IT,
    "concatenation": r"Concatenation|Concat",
    "multiplication": _OF_IT,
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
    "rescaling": _OF_IT,
    "normalisation": _OF_IT,
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
    sources = _sources(made)
    wanted = _NODES.get(job.cell.feature, ())
    return [
        _operation(one, _of(sources.get(one.name, []), wanted))
        for one in steps
        if one.layer not in _NO_WORK and not one.kernel.startswith("unknown")  # a view
    ]


def _sources(made: Any) -> Dict[str, List[str]]:
    """The nodes of the network that each operation was made from, by the operation's name."""
    found = {}
    for node in made.get_runtime_model().get_ordered_ops():
        notes = node.get_rt_info()
        if "originalLayersNames" in notes:
            text = str(notes["originalLayersNames"].astype(str))
            found[node.get_friendly_name()] = text.split(",")
    return found


def _of(names: List[str], wanted: Tuple[str, ...]) -> str:
    """Those of the feature; a node that only quantizes has a name with a stroke in it."""
    return " ".join(name for name in names if name.rpartition("_")[0] in wanted and "/" not in name)


def _operation(step: Step, source: str) -> Operation:
    kind = step.kind
    name = f"{step.layer} {step.kernel} of {source}" if source else f"{step.layer} {step.kernel}"
    return Operation(name, "float32" if kind == "unknown" else kind, 1)


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
