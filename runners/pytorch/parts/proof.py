"""What really ran: the operations of one call, and how long each of them takes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import numpy as np
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from manifests.manifest import Proof
from runners.batch_norms import record_batch_norms
from runners.inference import Session
from runners.job import Job
from runners.precision_proof import proof_by_type
from runners.pytorch.parts.kernels import (
    UNKNOWN,
    Row,
    counted,
    device_times,
    kernel_type,
    operator_type,
    split_times,
)

NO_KERNELS = (
    "the profiler saw no kernel: CUPTI may be refused here (a driver with "
    "NVreg_RestrictProfilingToAdminUsers=1 and a container without CAP_SYS_ADMIN, a virtual GPU, "
    "or DCGM holding the counters)"
)
_COMPUTE_FLOAT = ("aten::conv2d", "aten::linear")
_COMPUTE_INT8 = (
    "quantized::conv2d", "quantized::conv2d_relu", "quantized::linear",
    "quantized::linear_relu", "quantized::linear_dynamic",
)  # fmt: skip
_BATCH_NORM = re.compile(
    r"(aten|quantized)[:.]+(batch_norm\w*|_native_batch_norm_legit_no_training)(\.\w+)?$"
)
_NO_MEMORY = "no operator kept memory that it took: all was reused or freed"
_INSIDE_COMPILED = "a compiled graph's kernels don't tell what was folded into them"


def prove(job: Job, session: Session, promised: str) -> None:
    """Run one black picture under the profiler and set the job's proof."""
    size = job.cell.image_size
    inputs = session.place(job.data.normalise(np.zeros((1, size, size, 3), np.uint8)))
    # The older profiler counts operators as well, and starts in no time; Kineto takes a second.
    with torch.autograd.profiler.profile(use_kineto=False) as profiler:
        session.call(inputs)
    events = profiler.key_averages()
    operations: Dict[str, Dict[str, int]] = {"int8": {}, "float32": {}}
    for event in events:
        if event.key in _COMPUTE_INT8 or event.key.startswith("quantized::"):
            operations["int8"][event.key] = event.count
        elif event.key in _COMPUTE_FLOAT or event.key == "aten::add":
            operations["float32"][event.key] = event.count
    job.proof = proof_of(operations, promised)
    left = sum(event.count for event in events if _BATCH_NORM.match(event.key))
    record_batch_norms(job, left, "operators executed in one call, torch.autograd.profiler")


def count_batch_norms(job: Job, graph: Any) -> None:
    """Record ``batch_norms_left`` of an exported graph, before it is compiled."""
    left = sum(bool(_BATCH_NORM.match(str(node.target))) for node in graph.nodes)
    record_batch_norms(job, left, "operators of the exported graph")


def hide_batch_norms(job: Job) -> None:
    """Record that what a compiler made of the network doesn't tell."""
    record_batch_norms(job, None, "torch.compile", _INSIDE_COMPILED)


def proof_of(operations: Dict[str, Dict[str, int]], promised: str) -> Proof:
    """Coverage over convolutions and matrix products; the rest is what fell back."""
    compute = Counter(
        {
            kind: sum(n for op, n in ops.items() if op in _COMPUTE_FLOAT + _COMPUTE_INT8)
            for kind, ops in operations.items()
        }
    )
    total = sum(compute.values())
    fallback = [
        f"{op} x{count} in {kind}"
        for kind, ops in operations.items()
        if kind != promised
        for op, count in ops.items()
    ]
    return Proof(
        promised=promised,
        operations={kind: ops for kind, ops in operations.items() if ops},
        coverage=compute[promised] / total if total else None,
        fallback=fallback if promised != "float32" else [],
        source="operators executed in one call, torch.autograd.profiler",
    )


def prove_by_type(
    job: Job,
    session: Session,
    promised: str,
    by_kernels: bool = False,
    model: Optional[nn.Module] = None,
) -> None:
    """Run black pictures under the profiler; set the job's proof from what it saw.

    Operators are judged by the types of their inputs, which works inside compiled graphs as
    well; with ``by_kernels``, the GPU's kernels by their names, for what no operator shows
    (TF32, a replayed graph, an engine). A kernel whose name tells no type computes in that of
    the weights of ``model``.
    """
    if job.promises(promised, session):
        return
    size, batch = job.cell.image_size, job.cell.batch_size if session.fixed_batch else 1
    inputs = session.place(job.data.normalise(np.zeros((batch, size, size, 3), np.uint8)))
    session.call(inputs)
    operators, kernels = _executed(session, inputs)
    if by_kernels:
        kinds = [(name, kernel_type(name)) for name in kernels]
        untold = sum(kind == UNKNOWN for _, kind in kinds)
        operands = operand_type(model) if untold and model is not None else UNKNOWN
        counts = counted(kinds, operands)
        source = "names of the GPU's kernels in one call, torch.profiler"
        if operands != UNKNOWN:
            source += f"; by the type of the weights where a name tells none ({untold})"
        if not kernels:
            source = f"{source}: {NO_KERNELS}"
            job.warn(NO_KERNELS)
    else:
        counts = counted((name, operator_type(name, types)) for name, types in operators)
        source = "input types of the operators executed in one call, torch.profiler"
    job.proof = proof_by_type(counts, promised, source)


def operand_type(model: nn.Module) -> str:
    """The one type of all weights that convolutions and products have; "unknown" for several.

    So it is for float32 where TF32 is allowed: the same tensors, computed in one or the other.
    """
    kinds = {
        str(module.weight.dtype).replace("torch.", "")
        for module in model.modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
    }
    allowed = torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32
    if len(kinds) != 1 or (kinds == {"float32"} and allowed):
        return UNKNOWN
    return kinds.pop()


def _executed(session: Session, inputs: Any) -> Tuple[List[Tuple[str, List[str]]], List[str]]:
    """Operators with the types of their inputs, and kernels by name, of one call."""
    activities = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, record_shapes=True) as profiler:
        session.call(inputs)
        session.synchronise()
    operators: List[Tuple[str, List[str]]] = []
    kernels: List[str] = []
    for event in profiler.profiler.kineto_results.events():
        if event.device_type() == torch.autograd.DeviceType.CPU:
            operators.append((event.name(), list(event.dtypes())))
        else:
            kernels.append(event.name())
    return operators, kernels


def executed_operators(call: Callable[[], Any]) -> List[Tuple[str, List[str]]]:
    """The operators of one call on a processor, with the types of their inputs."""
    call()
    with profile(activities=[ProfilerActivity.CPU], record_shapes=True) as profiler:
        call()
    events = profiler.profiler.kineto_results.events()
    return [(event.name(), list(event.dtypes())) for event in events]


def record_breakdown(job: Job, session: Session, calls: int) -> None:
    """Record ``op_time_s`` by operation: its own time per call, the mean of ``calls``; and
    ``op_memory_bytes`` from calls of their own, because watching memory takes time.
    """
    inputs = session.place(job.data.normalise(job.data.timed(job.cell.batch_size)))
    with job.phase("profile"):
        session.call(inputs)
        events = list(_profiled(session, inputs, calls).key_averages())
        watched = _profiled(session, inputs, calls, profile_memory=True).events() or []
    _record_memory(job, watched, calls)
    if job.cell.device == "gpu":
        rows = [_row(event) for event in events]
        what, times = device_times(rows)
        source = f"torch.profiler device time of {what}"
        _record_split(job, rows, calls)
    else:
        times = [(event.key, event.self_cpu_time_total) for event in events]
        source = "torch.profiler cpu self time"
    for name, own_us in times:
        if own_us > 0:
            job.record(
                "op_time_s", [own_us * 1e-6 / calls], label=name, items=job.cell.batch_size,
                source=f"{source}, mean of {calls}",
            )  # fmt: skip
    if job.cell.device == "gpu" and not times:
        job.record("op_time_s", [None], source=source, reason=NO_KERNELS)


def _row(event: Any) -> Row:
    on_device = event.device_type != torch.autograd.DeviceType.CPU
    annotation = bool(getattr(event, "is_user_annotation", False))
    return Row(
        event.key, on_device, event.self_device_time_total, annotation, event.self_cpu_time_total
    )


def _record_split(job: Job, rows: List[Row], calls: int) -> None:
    """``device_time_s`` by ``gpu`` and ``cpu``: the profiler's two totals for one call."""
    on_gpu, on_cpu = split_times(rows)
    for label, own_us, what in (
        ("gpu", on_gpu, "time of kernels"),
        ("cpu", on_cpu, "self time on the processor without waiting for the GPU"),
    ):
        job.record(
            "device_time_s", [own_us * 1e-6 / calls if on_gpu else None], label=label,
            items=job.cell.batch_size, source=f"torch.profiler {what}, mean of {calls}",
            reason="" if on_gpu else NO_KERNELS,
        )  # fmt: skip


def _record_memory(job: Job, events: Iterable[Any], calls: int) -> None:
    """By the outermost operators: inside of them it is aten::empty that allocates."""
    place = "cpu" if job.cell.device == "cpu" else "device"
    source = f"torch.profiler {place} memory (allocated less freed), mean of {calls}"
    taken: Counter[str] = Counter()
    for event in events:
        outermost = event.cpu_parent is None
        if outermost and not event.name.startswith("["):  # "[memory]" is of no operator
            taken[event.name] += _bytes_taken(event, place)
    kept = {name: size_bytes for name, size_bytes in taken.items() if size_bytes > 0}
    for name, size_bytes in kept.items():
        job.record(
            "op_memory_bytes", [size_bytes / calls], label=name, items=job.cell.batch_size,
            source=source,
        )  # fmt: skip
    if not kept:
        job.record("op_memory_bytes", [None], source=source, reason=_NO_MEMORY)


def _bytes_taken(event: Any, place: str) -> int:
    older = "cuda" if place == "device" else place  # before torch 2.3
    name = f"{place}_memory_usage"
    return int(getattr(event, name if hasattr(event, name) else f"{older}_memory_usage"))


def _profiled(session: Session, inputs: Any, calls: int, profile_memory: bool = False) -> profile:
    activities = [ProfilerActivity.CPU]
    if torch.cuda.is_available():
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities, acc_events=True, profile_memory=profile_memory) as profiler:
        for _ in range(calls):
            session.call(inputs)
        session.synchronise()
    return profiler
