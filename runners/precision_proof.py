"""The proof of precision by count and by time, from a runtime's own profile, for every framework.

Count: the share of the convolutions and matrix products that ran in the promised type. Time: the
share of those operations' time. What a call spends outside of operations, and what profiling adds
to it, stand beside it: operations + outside - profiling is the latency that was measured without.
"""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, NamedTuple, Optional, Sequence

from manifests.manifest import Proof
from runners.job import Job


class Operation(NamedTuple):
    """What one call executes under one name.

    ``kind``: the type that a convolution or product computes in; None for what is neither.
    ``times`` and ``seconds`` are those of one call, ``seconds`` None where nothing was timed.
    """

    name: str
    kind: Optional[str]
    times: int
    seconds: Optional[float] = None


class ProfiledCall(NamedTuple):
    """Seconds of a call that is profiled: inside the runtime, and as the caller sees it."""

    inside_s: float
    whole_s: float


def record_proof(job: Job, promised: str, operations: Sequence[Operation], source: str) -> None:
    """Set the job's proof, whose share by count is recorded with it; ``promised_time_share``."""
    job.proof = proof_of(operations, promised, source)
    timed = [one for one in operations if one.kind is not None and one.seconds is not None]
    whole = sum(one.seconds or 0.0 for one in timed)
    if whole:
        own = sum(one.seconds or 0.0 for one in timed if one.kind == promised)
        job.record("promised_time_share", [own / whole], source=source)
    else:
        job.record("promised_time_share", [None], source=source, reason="no operation was timed")


def proof_of(operations: Sequence[Operation], promised: str, source: str) -> Proof:
    """The proof by count; what is neither convolution nor product is left out."""
    counts: Dict[str, Dict[str, int]] = {}
    for one in operations:
        if one.kind is not None:
            of_kind = counts.setdefault(one.kind, {})
            of_kind[one.name] = of_kind.get(one.name, 0) + one.times
    totals = Counter({kind: sum(names.values()) for kind, names in counts.items()})
    whole = sum(totals.values())
    return Proof(
        promised=promised,
        operations=counts,
        coverage=totals[promised] / whole if whole else None,
        fallback=[
            f"{name} x{count} in {kind}"
            for kind, names in counts.items()
            if kind != promised
            for name, count in names.items()
        ],
        source=source,
    )


def record_call(
    job: Job,
    operations: Sequence[Operation],
    call: ProfiledCall,
    latency_s: Optional[float],
    source: str,
) -> None:
    """Record ``op_time_s`` by operation, ``outside_operations_s`` and ``profiling_s``.

    ``latency_s`` is that of the same call without profiling, None where it was not measured.
    """
    items = job.cell.batch_size
    for one in operations:
        if one.seconds is not None:
            job.record("op_time_s", [one.seconds], label=one.name, items=items, source=source)
    inside = sum(one.seconds or 0.0 for one in operations)
    job.record("outside_operations_s", [call.whole_s - inside], items=items, source=source)
    if latency_s is not None:
        job.record("profiling_s", [call.whole_s - latency_s], items=items, source=source)


def latency_of(job: Job) -> Optional[float]:
    """The median of the latencies that the job has recorded; None where it has none."""
    samples: List[float] = []
    for metric in job.metrics:
        if metric.name == "latency_s":
            samples = sorted(float(one) for one in metric.samples if one is not None)
    return samples[len(samples) // 2] if samples else None
