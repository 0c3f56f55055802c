"""ONNX Runtime's profile: kernels with their types and times, of every call. Imports no framework.

The profile is a JSON list of events. Those of category ``Node`` that end in ``_kernel_time`` are
kernels, with ``op_name`` and ``input_type_shape``; a ``model_run`` of category ``Session`` is a
whole call; times are in microseconds. Weights that a kernel has packed beforehand are missing
among its inputs, so that places in the list tell nothing; the 8-bit types keep their order.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from runners.precision_proof import Operation

_FLOAT = frozenset(
    (
        "Conv", "FusedConv", "NhwcConv", "NhwcFusedConv", "ConvTranspose", "Gemm", "FusedGemm",
        "MatMul", "FusedMatMul", "TransposeMatMul", "GemmFastGelu",
    )
)  # fmt: skip
# The output's zero point stands behind that of the weights.
_STATIC_INT8 = frozenset(("QLinearConv", "QLinearMatMul", "QGemm"))
_DYNAMIC_INT8 = frozenset(
    (
        "ConvInteger", "MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul",
        "ConvIntegerToFloat",
    )
)  # fmt: skip
_TYPES = {
    "float": "float32", "float16": "float16", "bfloat16": "bfloat16", "double": "float64",
    "int8": "int8", "uint8": "uint8",
}  # fmt: skip
_EIGHT_BITS = ("int8", "uint8")
INT8 = "int8"
"""Products of 8-bit numbers, signed or not; the operation's name says which they were."""


class Kernel(NamedTuple):
    """One execution of a kernel; ``types`` are those of the inputs that the profile names."""

    operator: str
    types: Tuple[str, ...]
    provider: str
    start_us: float
    duration_us: float

    @property
    def kind(self) -> Optional[str]:
        """The type that a convolution or product computes in; None for what is neither."""
        if self.operator in _STATIC_INT8 or self.operator in _DYNAMIC_INT8:
            return INT8
        if self.operator in _FLOAT:
            return self.types[0] if self.types else "unknown"
        return None

    @property
    def name(self) -> str:
        """``QLinearConv uint8 x int8``: the operator, for 8 bits with activations and weights."""
        eight = [kind for kind in self.types if kind in _EIGHT_BITS]
        if self.operator in _STATIC_INT8 and len(eight) >= 2:
            return f"{self.operator} {eight[0]} x {eight[-2]}"
        if self.operator in _DYNAMIC_INT8 and eight:
            inputs = eight[0] if self.types[0] in _EIGHT_BITS else "uint8"  # quantizes by itself
            return f"{self.operator} {inputs} x {eight[-1]}"
        return self.operator


class Run(NamedTuple):
    """One call as the runtime sees it."""

    seconds: float
    kernels: List[Kernel]


def read_profile(path: Path) -> List[Run]:
    """The calls of a profile, in order. Raises ValueError for a file that isn't one."""
    try:
        events = json.loads(path.read_text(encoding="utf-8"))
        return runs_of(events)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} isn't a profile of ONNX Runtime: {error!r}") from error


def runs_of(events: Sequence[Dict[str, Any]]) -> List[Run]:
    """Each call with the kernels that began while it went on."""
    whole = [e for e in events if e["cat"] == "Session" and e["name"] == "model_run"]
    kernels = [_kernel(event) for event in events if _is_kernel(event)]
    found = []
    for event in sorted(whole, key=lambda event: float(event["ts"])):
        begin, end = float(event["ts"]), float(event["ts"]) + float(event["dur"])
        inside = [one for one in kernels if begin <= one.start_us <= end]
        found.append(Run(float(event["dur"]) * 1e-6, inside))
    return found


def operations_of(runs: Sequence[Run]) -> List[Operation]:
    """What one call executes, by name and type: counts of a call, mean seconds over all calls."""
    grouped: Dict[Tuple[str, Optional[str]], List[float]] = OrderedDict()
    for run in runs:
        for kernel in run.kernels:
            grouped.setdefault((kernel.name, kernel.kind), []).append(kernel.duration_us * 1e-6)
    return [
        Operation(name, kind, round(len(times) / len(runs)), sum(times) / len(runs))
        for (name, kind), times in grouped.items()
    ]


def _is_kernel(event: Dict[str, Any]) -> bool:
    return event["cat"] == "Node" and str(event["name"]).endswith("_kernel_time")


def _kernel(event: Dict[str, Any]) -> Kernel:
    about = event["args"]
    types = tuple(
        _TYPES.get(name, name) for entry in about["input_type_shape"] for name in list(entry)[:1]
    )
    return Kernel(
        about["op_name"], types, about["provider"], float(event["ts"]), float(event["dur"])
    )
