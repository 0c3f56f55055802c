"""Which types a TensorFlow graph computes in, read from its nodes, those of functions included."""

from __future__ import annotations

from typing import Any, Dict, Iterator

import tensorflow as tf

from manifests.manifest import Proof

COMPUTE = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
GRADIENTS = tuple(f"{name}Backprop{side}" for name in COMPUTE[:2] for side in ("Input", "Filter"))
_TOLD = (*COMPUTE, *GRADIENTS, "AddV2", "BiasAdd", "Relu", "Relu6", "FusedBatchNormV3", "Mean")

Types = Dict[str, Dict[str, int]]
"""Operations by data type, with their count."""


def compute_types(definition: Any) -> Types:
    """From a GraphDef, or anything that has ``node`` and ``library``."""
    types: Types = {}
    for node in every_node(definition):
        if node.op in _TOLD and "T" in node.attr:
            kind = tf.dtypes.as_dtype(node.attr["T"].type).name
            counts = types.setdefault(kind, {})
            counts[node.op] = counts.get(node.op, 0) + 1
    return types


def every_node(definition: Any) -> Iterator[Any]:
    """The graph's own nodes, then those of its functions."""
    yield from definition.node
    for function in definition.library.function:
        yield from function.node_def


def proof_of_types(types: Types, promised: str, source: str) -> Proof:
    """``coverage`` is the share of convolutions and products that compute as promised."""
    compute = {
        kind: sum(count for name, count in ops.items() if name in (*COMPUTE, *GRADIENTS))
        for kind, ops in types.items()
    }
    total = sum(compute.values())
    return Proof(
        promised=promised,
        operations=types,
        coverage=compute.get(promised, 0) / total if total else None,
        fallback=[
            f"{name} x{count} in {kind}"
            for kind, ops in types.items()
            if kind != promised
            for name, count in ops.items()
            if name in (*COMPUTE, *GRADIENTS)
        ],
        source=source,
    )
