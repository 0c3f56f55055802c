"""The ladders of speedups: which technique stands on which, and what changes on the step up."""

from __future__ import annotations

from typing import NamedTuple

SPLITTING, CALLING, COMPILER, PRECISION, LAYOUT = (
    "batch splitting", "calling convention", "compiler", "precision", "memory layout",
)  # fmt: skip
KINDS = (SPLITTING, CALLING, LAYOUT, COMPILER, PRECISION)


class Rung(NamedTuple):
    """``after``: the rung below. ``kind``: what changes on the step up from it."""

    after: str
    kind: str


# Roots are the techniques that no ladder lists.
LADDERS: dict[str, dict[str, Rung]] = {
    "tensorflow": {
        "keras-call": Rung("keras-predict", CALLING),
        "signature": Rung("keras-call", CALLING),
        "tf32": Rung("signature", PRECISION),
        "xla": Rung("signature", COMPILER),
        "tftrt-fp32": Rung("signature", COMPILER),
        "tftrt-fp16": Rung("tftrt-fp32", PRECISION),
        "tftrt-int8": Rung("tftrt-fp16", PRECISION),
        "tflite-float32": Rung("signature", COMPILER),
        "ptq-tflite": Rung("tflite-float32", PRECISION),
        "qat-tfmot": Rung("tflite-float32", PRECISION),
    },
    "pytorch": {
        "channels-last": Rung("float32", LAYOUT),
        "compiled": Rung("channels-last", COMPILER),
        "compiled-bfloat16": Rung("compiled", PRECISION),
        "compiled-float16": Rung("compiled", PRECISION),
        "ptq-pt2e": Rung("compiled", PRECISION),
        # torchao's products are quantized inside a bfloat16 model.
        "float8-torchao": Rung("compiled-bfloat16", PRECISION),
        "int8-torchao": Rung("compiled-bfloat16", PRECISION),
        "cuda-graph": Rung("channels-last", CALLING),
        "cuda-graph-float16": Rung("cuda-graph", PRECISION),
        "tensorrt-float32": Rung("channels-last", COMPILER),
        "tensorrt-tf32": Rung("tensorrt-float32", PRECISION),
        "tensorrt-float16": Rung("tensorrt-float32", PRECISION),
        "tensorrt-int8": Rung("tensorrt-float16", PRECISION),
        "tf32": Rung("float32", PRECISION),
        "ptq-eager": Rung("float32", PRECISION),
        "ptq-fx": Rung("float32", PRECISION),
        "qat-eager": Rung("float32", PRECISION),
        "dynamic": Rung("float32", PRECISION),
    },
}


def path_to(framework: str, technique: str) -> list[str]:
    """The techniques from the root of the ladder up to ``technique``."""
    ladder = LADDERS.get(framework, {})
    path = [technique]
    while path[0] in ladder:
        path.insert(0, ladder[path[0]].after)
    return path
