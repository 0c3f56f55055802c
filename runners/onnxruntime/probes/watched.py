"""How ONNX Runtime's techniques are probed: the kernels of one call, by the runtime's profile."""

from __future__ import annotations

from typing import Any, Dict, List

from runners.job import Job
from runners.onnxruntime.parts.models import float_model
from runners.onnxruntime.parts.profiles import Kernel
from runners.onnxruntime.parts.proof import profiled
from runners.onnxruntime.parts.sessions import session
from runners.precision_proof import Operation
from runners.probing import Framework

_CONVOLUTIONS = r"Conv"
_PRODUCTS = r"MatMul|Gemm"
_EIGHT_BITS = ("int8", "uint8")
_NORMALIZING = r"Normalization|InstanceNorm|LayerNorm"
OWN: Dict[str, str] = {
    "transposed": r"ConvTranspose",
    "linear": _PRODUCTS,
    "matmul": r"MatMul",
    "embedding": r"^Gather",
    "embedding-bag": r"^Gather|ReduceMean",
    "lstm": r"LSTM",
    "gru": r"GRU",
    "multi-head-attention": r"MatMul|Attention",
    "scaled-dot-product": r"MatMul|Attention",
    "layer-norm": _NORMALIZING,
    "group-norm": _NORMALIZING,
    "instance-norm": _NORMALIZING,
    "batch-norm-fused": r"BatchNormalization",
    "batch-norm": r"BatchNormalization",
    "relu": r"^Relu",
    "relu6": r"^Clip",
    "leaky-relu": r"LeakyRelu",
    "prelu": r"PRelu",
    "elu": r"^Elu",
    "gelu": r"Gelu|Erf",
    "silu": r"Sigmoid|Silu|QuickGelu",
    "hard-swish": r"HardSwish|HardSigmoid",
    "sigmoid": r"Sigmoid",
    "tanh": r"Tanh",
    "softmax": r"Softmax",
    "residual-add": r"Add\b",
    "concatenation": r"Concat",
    "multiplication": r"Mul\b(?!.*Mat)",
    "reshape": r"^Reshape",
    "transpose": r"^Transpose",
    "slice": r"^Slice",
    "padding": r"^Pad",
    "mean": r"Mean",
    "upsampling-nearest": r"Resize|Upsample",
    "upsampling-bilinear": r"Resize|Upsample",
    "max-pool": r"MaxPool",
    "average-pool": r"AveragePool",
    "global-average-pool": r"AveragePool",
    "rescaling": r"^(QLinear)?Mul\b",
    "normalisation": r"^(QLinear)?(Sub|Div|Mul|Add)\b",
}
"""By feature, where its kernels are others than convolutions."""


def kind_of(kernel: Kernel) -> str:
    """The type that any kernel computes in: of products as proofs have it, else of its first input
    that holds numbers.
    """
    kind = kernel.kind
    if kind is None and (kernel.operator.startswith(("QLinear", "Dynamic"))):
        kind = "int8"
    if kind is None:
        numbers = [one for one in kernel.types if not one.startswith(("int32", "int64", "bool"))]
        kind = numbers[0] if numbers else "unknown"
    return "int8" if kind in _EIGHT_BITS else kind


def _expected(job: Job, images: Any) -> Any:
    """The float network's answers to float32 NHWC images."""
    made = session(job, float_model(job))
    assert made.outputs is not None
    return made.outputs(made.call(made.place(images)))


def _operations(job: Job, images: Any) -> List[Operation]:
    (run,) = profiled(job, job.made, 1).runs
    return [Operation(one.operator, kind_of(one), 1) for one in run.kernels]


FRAMEWORK = Framework(
    expected=_expected,
    operations=_operations,
    own=OWN,
    otherwise=_CONVOLUTIONS,
    computing=f"{_CONVOLUTIONS}|{_PRODUCTS}",
    source="ONNX Runtime's profile of its kernels in one call",
)
