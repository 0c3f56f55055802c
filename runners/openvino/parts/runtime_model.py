"""Reading precision from OpenVINO's runtime model: what the plug-in made of each operation.

The plug-in notes at every operation its kind (``layerType``), the type that it computes in
(``runtimePrecision``), the kernel with its instruction set (``primitiveType``, for example
``brgconv_avx512_amx_I8``) and what it was made from (``originalLayersNames``). How long it takes
the counters of a request tell, cut to whole microseconds. Nothing here imports OpenVINO.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Collection, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manifests.manifest import Proof
from runners.precision_proof import Operation

UNKNOWN = "unknown"
"""The type of an operation whose two notes contradict each other, or that has none."""
_COMPUTE = frozenset(
    ("convolution", "deconvolution", "binaryconvolution", "fullyconnected", "matmul", "gemm")
)
"""Convolutions and matrix products, as the plug-ins for processors and for GPUs call them."""
_FUSED = "subgraph"
"""Several operations that the plug-in compiled into one kernel of its own; small products too."""
NETWORK_PRODUCTS = ("Convolution", "GroupConvolution", "ConvolutionBackpropData", "MatMul")
"""The same in a network that isn't compiled yet."""
_TYPES = {
    "f32": "float32", "f64": "float64", "bf16": "bfloat16", "f16": "float16", "u8": "int8",
    "i8": "int8", "i32": "int32", "i64": "int64", "u4": "int4", "i4": "int4", "u1": "binary",
    "bin": "binary", "boolean": "boolean",
}  # fmt: skip
_NO_KERNEL = re.compile(r"^(unknown|undef)(_|$)|^$")
_SUFFIX = re.compile(r"_(f32|f64|bf16|f16|u8|i8|bin)$", re.IGNORECASE)
_SHOWN = 3
"""Of what would run instead, in the reason for a failed proof."""
_SETS = re.compile(r"avx512_amx|amx|avx512|avx2_vnni|avx2|avx|sse42|sve\d*|neon|acl")


class Step(NamedTuple):
    """One operation of the runtime model; ``time_us`` is None for one that no call executes.

    ``products``: how many of the network's convolutions and matrix products it computes.
    """

    name: str
    layer: str
    precision: str
    kernel: str
    time_us: Optional[float]
    products: int

    @property
    def kind(self) -> str:
        """The data type that it computes in, in the words of proofs.

        A kernel's name ends in its type as well: where the two differ, it is unknown.
        """
        told = _TYPES.get(self.precision.lower(), UNKNOWN)
        suffix = _SUFFIX.search(self.kernel)
        if suffix is not None and _TYPES[suffix[1].lower()] != told:
            return UNKNOWN
        return told

    @property
    def title(self) -> str:
        """What it does and by which kernel, e.g. ``Convolution brgconv_avx512_dw_f32``."""
        products = " with products" if self.products and self.layer.lower() == _FUSED else ""
        return f"{self.layer}{products} {self.kernel}"


def step(
    name: str,
    notes: Mapping[str, str],
    time_us: Optional[float] = None,
    network_products: Collection[str] = (),
) -> Step:
    """From an operation's name and its notes (``rt_info``).

    ``network_products``: the names of the network's convolutions and products.
    """
    layer, kernel = notes.get("layerType", ""), notes.get("primitiveType", "")
    made_from = notes.get("originalLayersNames", "").split(",")
    products = 0
    if layer.lower() == _FUSED:
        products = len(set(made_from).intersection(network_products))
    elif layer.lower() in _COMPUTE and not _NO_KERNEL.match(kernel):
        products = 1
    return Step(name, layer, notes.get("runtimePrecision", ""), kernel, time_us, products)


def after_warm_up(
    warm: Mapping[str, float], whole: Mapping[str, float], warm_calls: int, calls: int
) -> Dict[str, float]:
    """Mean times by operation of those calls alone that followed the first ``warm_calls``.

    ``warm`` are the means of these, ``whole`` those of all ``calls``: the counters never begin
    anew, and first calls take several times as long.
    """
    counted = calls - warm_calls
    return {
        name: max(0.0, (calls * mean - warm_calls * warm.get(name, 0.0)) / counted)
        for name, mean in whole.items()
    }


def operations(steps: Sequence[Step]) -> List[Operation]:
    """Those of one call by kernel: convolutions and products, also those that took less than a
    microsecond, and whatever else took time.

    What is left out are constants, what was made of them once, views, and needless reorderings.
    """
    found: Dict[Tuple[str, Optional[str]], Operation] = {}
    for one in steps:
        if not one.products and not one.time_us:
            continue
        kind = one.kind if one.products else None
        before = found.get((one.title, kind), Operation(one.title, kind, 0, 0.0))
        seconds = (before.seconds or 0.0) + (one.time_us or 0.0) * 1e-6
        times = before.times + max(1, one.products)
        found[one.title, kind] = before._replace(times=times, seconds=seconds)
    return list(found.values())


def instruction_sets(steps: Sequence[Step]) -> List[str]:
    """Those that the kernels of convolutions and products name, the most frequent first."""
    matches = [_SETS.search(one.kernel) for one in steps if one.products]
    return [name for name, _ in Counter(match[0] for match in matches if match).most_common()]


def failed(proof: Proof, hint: str, taken: str) -> str:
    """Why a proof failed that shows nothing of what was promised.

    ``hint`` is the precision that was asked for, ``taken`` the one that the plug-in took.
    """
    seen = "; ".join(proof.fallback[:_SHOWN]) or "it has no convolution and no product"
    other = "" if hint == taken else f" (asked for {hint}, OpenVINO takes {taken})"
    return f"the proof failed: nothing would run in {proof.promised}{other}: {seen}"
