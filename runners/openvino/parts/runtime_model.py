"""Reading precision from OpenVINO's runtime model: what the plug-in made of each operation.

The plug-in notes at every operation its kind (``layerType``), the type that it computes in
(``runtimePrecision``), the kernel with its instruction set (``primitiveType``, for example
``brgconv_avx512_amx_I8``) and, with counters on, its mean time in whole microseconds. Nothing here
imports OpenVINO.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from manifests.manifest import Proof

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
_NO_KERNEL = re.compile(r"^(unknown|undef)(_|$)")
_SUFFIX = re.compile(r"_(f32|f64|bf16|f16|u8|i8|bin)$", re.IGNORECASE)
_SETS = re.compile(r"avx512_amx|amx|avx512|avx2_vnni|avx2|avx|sse42|sve\d*|neon|acl")
_NOT_EXECUTED = "not_executed"


class Operation(NamedTuple):
    """One operation of the runtime model; ``time_us`` is None for one that took no time."""

    name: str
    layer: str
    precision: str
    kernel: str
    time_us: Optional[int]

    @property
    def computes(self) -> bool:
        """Whether it is a convolution or a matrix product."""
        return self.layer.lower() in _COMPUTE and not _NO_KERNEL.match(self.kernel)

    @property
    def kind(self) -> str:
        """The data type that it computes in, in the words of proofs.

        The kernel's name ends in its type as well: where the two differ, it is unknown.
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


def operation(name: str, notes: Mapping[str, str]) -> Operation:
    """From an operation's name and its notes (``rt_info``)."""
    took = notes.get("execTimeMcs", _NOT_EXECUTED)
    return Operation(
        name,
        notes.get("layerType", ""),
        notes.get("runtimePrecision", ""),
        notes.get("primitiveType", ""),
        None if took == _NOT_EXECUTED else int(took),
    )


def instruction_sets(operations: Sequence[Operation]) -> List[str]:
    """Those that the kernels of convolutions and products name, the most frequent first."""
    found = Counter(
        match[0] for one in operations if one.computes for match in [_SETS.search(one.kernel)] if match
    )
    return [name for name, _ in found.most_common()]


def executed(operations: Sequence[Operation]) -> List[Operation]:
    """Convolutions and products, and whatever else took a microsecond or more.

    What is left out are constants, reorderings that the plug-in found needless, and views.
    """
    return [one for one in operations if one.computes or one.time_us]


def counted(operations: Sequence[Operation]) -> Dict[str, Dict[str, int]]:
    """Type -> operation with its kernel -> how often it ran in one call."""
    counts: Dict[str, Dict[str, int]] = {}
    for one in executed(operations):
        of_kind = counts.setdefault(one.kind, {})
        of_kind[one.title] = of_kind.get(one.title, 0) + 1
    return counts


def coverage(operations: Sequence[Operation], promised: str) -> Optional[float]:
    """The promised type's share of all convolutions and products; None where there are none."""
    kinds = [one.kind for one in operations if one.computes]
    return kinds.count(promised) / len(kinds) if kinds else None


def time_by_kernel(operations: Sequence[Operation]) -> List[Tuple[str, str, int]]:
    """(type, operation with its kernel, microseconds of one call), the longest first."""
    times: Counter[Tuple[str, str]] = Counter()
    for one in operations:
        if one.time_us:
            times[one.kind, one.title] += one.time_us
    return [(kind, title, took) for (kind, title), took in times.most_common()]


def time_share(operations: Sequence[Operation], promised: str) -> Optional[float]:
    """The share of all operations' time that convolutions and products of that type took."""
    whole = sum(one.time_us or 0 for one in operations)
    own = sum(one.time_us or 0 for one in operations if one.computes and one.kind == promised)
    return own / whole if whole else None


def proof(operations: Sequence[Operation], promised: str, calls: int) -> Proof:
    """Which operations of one call ran in which type, and by which kernels."""
    share = time_share(operations, promised)
    by_time = "their times unknown" if share is None else f"{share:.0%} of the operations' time"
    sets = ", ".join(instruction_sets(operations)) or "none named"
    counts = counted(operations)
    return Proof(
        promised=promised,
        operations=counts,
        coverage=coverage(operations, promised),
        fallback=[
            f"{title} x{count} in {kind}"
            for kind, titles in counts.items()
            if kind != promised
            for title, count in titles.items()
        ],
        source=(
            f"OpenVINO's runtime model after {calls} counted calls; convolutions and products in "
            f"{promised}: {by_time}; instruction sets of the kernels: {sets}"
        ),
    )
