"""Reading precision from OpenVINO's runtime model: what the plug-in made of each operation.

The plug-in notes at every operation its kind (``layerType``), the type that it computes in
(``runtimePrecision``), the kernel with its instruction set (``primitiveType``, for example
``brgconv_avx512_amx_I8``) and, with counters on, its mean time, cut to whole microseconds. Nothing
here imports OpenVINO.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from runners.precision_proof import Operation

UNKNOWN = "unknown"
"""The type of an operation whose two notes contradict each other, or that has none."""
_COMPUTE = frozenset(
    ("convolution", "deconvolution", "binaryconvolution", "fullyconnected", "matmul", "gemm")
)
"""Convolutions and matrix products, as the plug-ins for processors and for GPUs call them."""
_TYPES = {
    "f32": "float32", "f64": "float64", "bf16": "bfloat16", "f16": "float16", "u8": "int8",
    "i8": "int8", "i32": "int32", "i64": "int64", "u4": "int4", "i4": "int4", "u1": "binary",
    "bin": "binary", "boolean": "boolean",
}  # fmt: skip
_NO_KERNEL = re.compile(r"^(unknown|undef)(_|$)|^$")
_SUFFIX = re.compile(r"_(f32|f64|bf16|f16|u8|i8|bin)$", re.IGNORECASE)
_SETS = re.compile(r"avx512_amx|amx|avx512|avx2_vnni|avx2|avx|sse42|sve\d*|neon|acl")
_NOT_EXECUTED = "not_executed"


class Step(NamedTuple):
    """One operation of the runtime model; ``time_us`` is None for one that took no time."""

    name: str
    layer: str
    precision: str
    kernel: str
    time_us: Optional[float]

    @property
    def computes(self) -> bool:
        """Whether it is a convolution or a matrix product that has a kernel.

        It counts also where it took less than a microsecond.
        """
        return self.layer.lower() in _COMPUTE and not _NO_KERNEL.match(self.kernel)

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
        return f"{self.layer} {self.kernel}"


def step(name: str, notes: Mapping[str, str]) -> Step:
    """From an operation's name and its notes (``rt_info``)."""
    took = notes.get("execTimeMcs", _NOT_EXECUTED)
    return Step(
        name,
        notes.get("layerType", ""),
        notes.get("runtimePrecision", ""),
        notes.get("primitiveType", ""),
        None if took == _NOT_EXECUTED else float(took),
    )


def after_warm_up(
    warm: Sequence[Step], whole: Sequence[Step], warm_calls: int, calls: int
) -> List[Step]:
    """``whole``, read after all ``calls``, with the means of those alone that followed the first
    ``warm_calls``, after which ``warm`` was read: first calls take several times as long.
    """
    before = {one.name: one.time_us or 0.0 for one in warm}
    found: List[Step] = []
    for one in whole:
        if one.time_us is not None:
            took = calls * one.time_us - warm_calls * before.get(one.name, 0.0)
            one = one._replace(time_us=max(0.0, took / (calls - warm_calls)))
        found.append(one)
    return found


def operations(steps: Sequence[Step]) -> List[Operation]:
    """Those of one call by kernel: convolutions and products, and whatever else took time.

    What is left out are constants, views, and reorderings that the plug-in found needless.
    """
    found: Dict[Tuple[str, Optional[str]], Operation] = {}
    for one in steps:
        if not one.computes and not one.time_us:
            continue
        kind = one.kind if one.computes else None
        before = found.get((one.title, kind), Operation(one.title, kind, 0, 0.0))
        seconds = (before.seconds or 0.0) + (one.time_us or 0.0) * 1e-6
        found[one.title, kind] = before._replace(count=before.count + 1, seconds=seconds)
    return list(found.values())


def instruction_sets(steps: Sequence[Step]) -> List[str]:
    """Those that the kernels of convolutions and products name, the most frequent first."""
    matches = [_SETS.search(one.kernel) for one in steps if one.computes]
    return [name for name, _ in Counter(match[0] for match in matches if match).most_common()]
