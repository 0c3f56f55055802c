"""Reading precision from what the profiler shows: operators' types, and GPU kernels' names."""

from __future__ import annotations

import re
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

from runners.precision_proof import Counts

UNKNOWN = "unknown"
"""The type of a convolution or product whose name tells none."""

# Operators that do the arithmetic of convolutions and matrix products, each at one level of the
# dispatcher only: below autocast, above the libraries, so that none is missed or counted twice.
_ATEN = (
    "aten::_convolution", "aten::addmm", "aten::mm", "aten::bmm", "aten::_scaled_mm",
    "aten::_int_mm",
)  # fmt: skip
_COMPILED = re.compile(r"^(mkldnn|mkl|onednn|quantized)::.*(conv|linear)")
_INT8 = re.compile(r"^(onednn::q|quantized::|aten::_int_mm$)")

_TYPES = {
    "float": "float32", "double": "float64", "c10::BFloat16": "bfloat16", "c10::Half": "float16",
    "signed char": "int8", "unsigned char": "int8", "c10::Float8_e4m3fn": "float8",
    "c10::Float8_e5m2": "float8", "c10::qint8": "int8", "c10::quint8": "int8",
    "QInt8": "int8", "QUInt8": "int8",
}  # fmt: skip

# Kernels by their names: cuDNN's, cuBLAS's, CUTLASS's, TensorRT's and Inductor's own spelling.
# Only the one that does a convolution's or a product's arithmetic counts, not what prepares its
# operands or adds up its parts, so that none is counted twice.
_KERNEL = re.compile(
    r"gemm|gemv|conv(?!ert)|fprop|dgrad|wgrad|xmma|cutlass|nvjet|hmma|imma|matmul|winograd"
    r"|[shi]cudnn|\dcudnn|cublasdot|triton_(tem|mm|bmm)|fmha|flash_fwd"
)
_AROUND = re.compile(
    r"^triton_(poi|per|red)|elementwise_kernel|reduce_|splitk_?reduce|reducesplit|reduction::kernel"
    r"|pooling|computeoffsets|compute_gemm_pointers|nchwto|nhwcto|im2col|col2im|flip_filter"
    r"|scaletensor|bias_diff|generatewinograd|^memcpy|^memset|execute_helper_kernel"
    r"|winograd(forward|wgrad|backward)?(data|filter|output|delta)"
)
# The first pattern that fits names the type. nvjet's first letter is its inputs'.
_KERNEL_TYPES = (
    ("float8", re.compile(r"e4m3|e5m2|fp8|float8|qmma|_scaled_mm|nvjet_(sm\d+_)?q")),
    ("int8", re.compile(
        r"i8i8|i8f|i8i32|int8|s8s8|_s8_|imma|i8816|i16832|i16864|icudnn|igemm|signed char|_int_mm"
    )),
    ("float64", re.compile(r"dgemm|d884|f64f64|\bdouble\b|nvjet_(sm\d+_)?d")),
    ("tf32", re.compile(r"tf32|tfloat32|nvjet_(sm\d+_)?s[^m]")),
    ("bfloat16", re.compile(r"bf16|bfloat16|nvjet_(sm\d+_)?t")),
    ("float16", re.compile(
        r"f16|fp16|half|hgemm|hcudnn|h884|h1688|h16816|s884|s16816|hmma|nvjet_(sm\d+_)?h"
    )),
    ("tf32", re.compile(r"s1688")),
    ("float32", re.compile(r"f32|fp32|sgemm|cgemm|ffma|float|scudnn|simt")),
)  # fmt: skip


def operator_type(name: str, dtypes: Sequence[str]) -> Optional[str]:
    """The type that an operator computes in, None when it is no convolution or product."""
    if name not in _ATEN and not _COMPILED.match(name):
        return None
    if _INT8.match(name):
        return "int8"
    known = [_TYPES[dtype] for dtype in dtypes if dtype in _TYPES]
    return known[0] if known else UNKNOWN


def kernel_type(name: str) -> Optional[str]:
    """The type that a GPU kernel computes in, None when it is no convolution or product."""
    lowered = name.lower()
    if not _KERNEL.search(lowered) or _AROUND.search(lowered):
        return None
    for kind, pattern in _KERNEL_TYPES:
        if pattern.search(lowered):
            return kind
    return UNKNOWN


# What CUPTI spends on profiling. torch lists each as an operator that launched the next kernel, so
# that the kernel's time would be there twice.
_PROFILING = frozenset(
    (
        "Activity Buffer Request", "Buffer Flush", "Command Buffer Full", "Driver Compiler",
        "Instrumentation", "Lazy Function Loading", "Resource", "Runtime Triggered Module Loading",
        "UVM Activity Init", "Unknown overhead",
    )
)  # fmt: skip


class Row(NamedTuple):
    """A row of the profiler's averages, in microseconds: ``own_us`` is its own time on the device,
    ``cpu_us`` on the processor.
    """

    name: str
    on_device: bool
    own_us: float
    annotation: bool = False
    cpu_us: float = 0.0


# Operators that account for less than this share of the kernels' time leave some of them out.
_ACCOUNTED = 0.95


def device_times(rows: Sequence[Row]) -> Tuple[str, List[Tuple[str, float]]]:
    """Of what the times are, and each with its microseconds; none is counted twice.

    The profiler lists a kernel as itself and in the time of the operator that launched it. In a
    replayed graph or an engine no operator launches any: there the kernels stand for themselves.
    """
    rows = [
        row for row in rows if not row.annotation and row.own_us > 0 and row.name not in _PROFILING
    ]
    operators = [(row.name, row.own_us) for row in rows if not row.on_device]
    kernels = [(row.name, row.own_us) for row in rows if row.on_device]
    accounted = sum(own_us for _, own_us in operators)
    if accounted >= _ACCOUNTED * sum(own_us for _, own_us in kernels):
        return "operators", operators
    return "kernels", kernels


# Calls in which the processor does nothing but wait for the GPU.
_WAITING = re.compile(r"^cuda(Device|Stream|Event)Synchronize$")


def split_times(rows: Sequence[Row]) -> Tuple[float, float]:
    """Microseconds on the GPU, by its kernels, and on the processor, waiting left out."""
    rows = [row for row in rows if not row.annotation and row.name not in _PROFILING]
    on_gpu = sum(row.own_us for row in rows if row.on_device)
    on_cpu = sum(row.cpu_us for row in rows if not row.on_device and not _WAITING.match(row.name))
    return on_gpu, on_cpu


def counted(operations: Iterable[Tuple[str, Optional[str]]], operands: str = UNKNOWN) -> Counts:
    """(name, type) of every executed operation -> counts; those without a type are left out.

    ``operands``: the type of what all of them compute with, for names that tell none, as cuDNN's
    depthwise kernels on an H100 do (``conv2d_c1_k1_nhwc``).
    """
    counts: Counts = {}
    for name, kind in operations:
        if kind is not None:
            kind = operands if kind == UNKNOWN else kind
            of_kind = counts.setdefault(kind, {})
            of_kind[name] = of_kind.get(name, 0) + 1
    return counts
