"""What a summary means for the numbers of its cell: quality flags, energy, memory of the GPU."""

from __future__ import annotations

from typing import Iterator, List, Mapping, Optional, Sequence

from machine import energy
from machine.summary import PhaseSums
from manifests.flags import PHASES
from manifests.hardware import IdlePower
from manifests.manifest import Flag, Metric
from manifests.metrics import METRICS
from manifests.telemetry_series import CLOCK_REASONS
from manifests.telemetry_summary import PhaseTelemetry

MEASURED = tuple(PHASES)
"""The phases whose times are results."""

THROTTLE_LIMIT = 0.05


def flags(phases: Mapping[str, PhaseSums]) -> list[Flag]:
    """What stopped the cell, slowed its GPU or shared it, while something was measured."""
    found = []
    for name in MEASURED:
        if name in phases:
            found += [*_throttled(name, phases[name]), *_foreign(name, phases[name])]
            found += _suspended(name, phases[name])
    return found


def _suspended(phase: str, sums: PhaseSums) -> list[Flag]:
    """Stopped by a signal or frozen with its container, which it can't always tell itself."""
    if not sums.stopped:
        return []
    detail = f"{phase}: it was stopped in {sums.stopped} of {sums.samples} samples"
    return [Flag(name="suspended", detail=detail)]


def _throttled(phase: str, sums: PhaseSums) -> Iterator[Flag]:
    for index, counts in sorted(sums.throttled.items()):
        share = sums.throttle_share(index) or 0.0
        if share > THROTTLE_LIMIT:
            names = sorted((name for name in counts if name), key=lambda name: -counts[name])
            why = ", ".join(f"{name} ({CLOCK_REASONS[name]})" for name in names)
            yield Flag(
                name="gpu-throttled",
                detail=f"{phase}: GPU {index} was held down in {share:.0%} of the samples: {why}",
                metrics=list(PHASES[phase]),
            )


def _foreign(phase: str, sums: PhaseSums) -> Iterator[Flag]:
    for index, pids in sorted(sums.foreign.items()):
        if pids:
            who = ", ".join(map(str, sorted(pids)[:5]))
            yield Flag(
                name="foreign-gpu-process",
                detail=f"{phase}: others computed on GPU {index} (process ids {who})",
                metrics=list(PHASES[phase]),
            )


def metrics(
    phases: Sequence[PhaseTelemetry],
    gpus: Sequence[int],
    interval_s: float,
    uuids: Optional[Mapping[int, Optional[str]]] = None,
    idle: Optional[IdlePower] = None,
) -> List[Metric]:
    """Energy of each measured phase; for a cell on GPUs also their largest memory."""
    found = list(energy.metrics(phases, gpus, uuids or {}, idle))
    return [*found, *(_memory(phases, index, interval_s) for index in gpus)]


def _memory(phases: Sequence[PhaseTelemetry], index: int, interval_s: float) -> Metric:
    key = f"gpus/{index}/memory_used_bytes"
    found = [phase.readings[key].max for phase in phases if key in phase.readings]
    return Metric(
        name="peak_memory_bytes",
        unit=METRICS["peak_memory_bytes"].unit,
        samples=[int(max(found)) if found else None],
        label=f"GPU {index}",
        source=f"nvml, the whole GPU, sampled every {interval_s:g} s" if found else "",
        reason="" if found else "no sample has it",
    )
