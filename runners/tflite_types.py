"""In which data type the operations of a .tflite file compute, and who executes them.

A tensor's type is not enough where activations and weights differ: then the operation is named by
both. A delegate shows which constants it took, and with them which operations.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Dict, List, Mapping, Optional, Set

import numpy as np

from manifests.manifest import Proof
from runners.failures import Unsupported
from runners.fidelity import INT8_PROBABILITIES, LOGITS, PROBABILITIES

COMPUTE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
"""Convolutions and products, which a precision is proven by."""
SOURCE = "tensor types of the TFLite graph"
HYBRID = "hybrid int8"
"""int8 weights and float32 activations, which the kernel quantizes at each call."""
INT16X8 = "int16x8"
_BELONGING = {INT16X8: ("int16",)}
"""What else is as promised: an operation without weights has the activations' type alone."""
_STORED_AS = {"float16": "float32 from float16 weights"}
"""What a file promises that only stores its weights in a type."""
_CONVERTING = ("QUANTIZE", "DEQUANTIZE")
"""Operations that change a tensor's type alone."""
_DELEGATE, _DEQUANTIZE = "DELEGATE", "DEQUANTIZE"

Details = Mapping[str, Any]
"""What the interpreter says of an operation or a tensor."""


class Graph:
    """The operations that an interpreter lists, its delegate's apart from them."""

    def __init__(self, operations: List[Details], tensors: List[Details]) -> None:
        self.operations = [one for one in operations if one["op_name"] != _DELEGATE]
        self._kinds = {one["index"]: np.dtype(one["dtype"]).name for one in tensors}
        delegates = [one for one in operations if one["op_name"] == _DELEGATE]
        self._taken: Set[int] = {index for one in delegates for index in one["inputs"]}
        self._made_by = {
            index: one for one in self.operations for index in one["outputs"] if index >= 0
        }

    def kind(self, operation: Details) -> str:
        """``int8``, ``float32``; what both activations and weights are where they differ."""
        result = self._kinds[operation["outputs"][0]]
        if operation["op_name"] not in COMPUTE:
            return result
        place = 2 if operation["op_name"] == "TRANSPOSE_CONV" else 0  # (shape, weights, images)
        images, weights = (self._kinds[operation["inputs"][at]] for at in (place, 1))
        stored = self._kinds[self._stored(operation["inputs"][1])]
        if stored != weights:
            return f"{weights} from {stored} weights"
        if (images, weights) == ("int16", "int8"):
            return INT16X8
        return HYBRID if (images, weights) == ("float32", "int8") else result

    def count(self, name: str) -> int:
        """How many of its operations have that name."""
        return sum(one["op_name"] == name for one in self.operations)

    def delegated(self, operation: Details) -> bool:
        """Whether a delegate took an operation with weights, and so them."""
        return self._stored(operation["inputs"][1]) in self._taken

    def answers(self, index: int) -> str:
        """What the tensor ``index`` holds where it is the answer: one of runners.fidelity.KINDS.

        Probabilities where it comes from a softmax, by whichever type that put out.
        """
        maker = self._made_by.get(index)
        while maker is not None and maker["op_name"] in _CONVERTING:
            index = maker["inputs"][0]
            maker = self._made_by.get(index)
        if maker is None or maker["op_name"] != "SOFTMAX":
            return LOGITS
        return INT8_PROBABILITIES if self._kinds[index] in ("int8", "uint8") else PROBABILITIES

    def _stored(self, index: int) -> int:
        """The tensor in the file that another one is made from before the first call."""
        maker = self._made_by.get(index)
        if maker is None or maker["op_name"] != _DEQUANTIZE:
            return index
        return int(maker["inputs"][0])


def prove_graph(graph: Graph, promised: str, source: str = "") -> Proof:
    """Coverage over convolutions and products; the rest is what fell back.

    ``source`` is for an interpreter that isn't LiteRT's, and has no delegates.
    """
    found: Dict[str, Counter[str]] = {}
    for operation in graph.operations:
        found.setdefault(graph.kind(operation), Counter())[operation["op_name"]] += 1
    compute = {kind: sum(names[name] for name in COMPUTE) for kind, names in found.items()}
    total = sum(compute.values())
    fine = (promised, *_BELONGING.get(promised, ()))
    return Proof(
        promised=promised,
        operations={kind: dict(names) for kind, names in found.items()},
        coverage=compute.get(promised, 0) / total if total else None,
        fallback=[
            f"{name} x{count} in {kind}"
            for kind, names in found.items()
            if kind not in fine
            for name, count in names.items()
        ],
        source=source or _source(graph, list(compute)),
    )


def refuse_other_types(name: str, proof: Proof) -> None:
    """Raises Unsupported for a file none of whose products is in the promised type."""
    if proof.coverage or _STORED_AS.get(proof.promised) in proof.operations:
        return
    others = ", ".join(kind for kind in proof.operations if kind != proof.promised)
    raise Unsupported(
        f"{name} computes nothing in {proof.promised}: its operations are in {others}"
    )


def _source(graph: Graph, kinds: List[str]) -> str:
    mixed = [kind for kind in kinds if kind in (HYBRID, INT16X8) or " from " in kind]
    computing = [one for one in graph.operations if one["op_name"] in COMPUTE]
    if not mixed or not computing:
        return SOURCE
    return "; ".join([SOURCE, *filter(None, [_how(mixed), _executors(graph, computing)])])


def _how(kinds: List[str]) -> str:
    told = [
        f"weights in {kind.split(' from ')[1].split()[0]} are made {kind.split(' from ')[0]} "
        "before the first call, and computed with as such"
        for kind in kinds
        if " from " in kind
    ]
    if HYBRID in kinds:
        told.append("hybrid kernels quantize float32 activations at each call")
    return "; ".join(told)


def _executors(graph: Graph, computing: List[Details]) -> Optional[str]:
    """How many of each type the delegate took, and how many are left to TFLite's own kernels."""
    taken = Counter(graph.kind(one) for one in computing if graph.delegated(one))
    own = Counter(graph.kind(one) for one in computing if not graph.delegated(one))
    parts = [
        f"{who} executes {', '.join(f'{count} in {kind}' for kind, count in counts.items())}"
        for who, counts in (("XNNPACK", taken), ("TFLite's own kernels", own))
        if counts
    ]
    return "; ".join(parts).replace("kernels executes", "kernels execute")
