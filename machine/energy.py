"""Energy of a cell's measured phases as metrics, and what makes it doubtful.

A device's counter is read five times a second and interpolated at the phase's ends; most boards'
power is the mean of the last second. So a phase has to be longer than that for either to say
something of it.
"""

from __future__ import annotations

from typing import Iterator, List, Mapping, NamedTuple, Optional, Sequence

from machine.summary import DRAM, HOST, module
from manifests.flags import PHASES
from manifests.hardware import IdlePower
from manifests.manifest import Flag, Metric
from manifests.metrics import METRICS
from manifests.telemetry_summary import Energy, PhaseTelemetry

SHORTEST_S = {"counter-difference": 1.0, "integrated-power": 5.0}
"""A phase that is shorter has no energy."""

COMPARED_S = 5.0
PARTED = 0.20
"""Counter and integral are held against each other from that long on; so far they may part."""

LEAST_COVERED = 0.8
"""Of a phase's time, the calls have to be so much, for its energy to be theirs."""


class Device(NamedTuple):
    """What energy is of: its name in telemetry and in words, and what an idle baseline calls it.

    ``beside`` says that it is told beside the cell's own device, and is no part of a sum.
    """

    name: str
    words: str
    idle: str
    beside: bool = False


def devices(gpus: Sequence[int], uuids: Mapping[int, Optional[str]]) -> List[Device]:
    """Of a cell on these GPUs; of one on processors the packages and the memory beside them."""
    if not gpus:
        return [
            Device(HOST, "processor packages of the whole host", HOST),
            Device(DRAM, "memory of the whole host", DRAM, beside=True),
        ]
    cards = [Device(f"gpus/{i}", f"GPU {i}", uuids.get(i) or "") for i in gpus]
    modules = [Device(module(i), f"the module of GPU {i}", "", beside=True) for i in gpus]
    return [*cards, *modules]


def metrics(
    phases: Sequence[PhaseTelemetry],
    gpus: Sequence[int],
    uuids: Mapping[int, Optional[str]],
    idle: Optional[IdlePower] = None,
) -> Iterator[Metric]:
    """``energy_j`` of each measured phase, and beside it what is above the idle machine's."""
    of = devices(gpus, uuids)
    several = sum(not device.beside for device in of) > 1
    for phase in phases:
        if "energy_j" not in PHASES.get(phase.name, ()):
            continue
        for device in of:
            energy = phase.energy.get(device.name)
            if energy is None and (device.beside or device.name == HOST):
                continue
            label = f"{phase.name} {device.name}" if several or device.beside else phase.name
            whole = _energy(phase, device, energy, label)
            yield whole
            if idle is not None and not device.beside:
                yield _above_idle(phase, device, whole, idle)


def _energy(phase: PhaseTelemetry, device: Device, energy: Optional[Energy], label: str) -> Metric:
    found = energy.energy_j if energy else None
    reason = energy.reason if energy else f"nothing was read of {device.words}"
    source = f"{device.words}, {energy.method}" if energy and found is not None else ""
    shortest_s = SHORTEST_S.get(energy.method, 0.0) if energy else 0.0
    if found is not None and phase.seconds < shortest_s:
        found, source = None, ""
        reason = f"the phase took {phase.seconds:.2g} s, and energy needs {shortest_s:g} s"
    unit = METRICS["energy_j"].unit
    return Metric(
        name="energy_j", unit=unit, samples=[found], label=label, source=source, reason=reason
    )


def _above_idle(phase: PhaseTelemetry, device: Device, whole: Metric, idle: IdlePower) -> Metric:
    power_w, total_j = idle.power_w.get(device.idle), whole.samples[0]
    name = "energy_above_idle_j"
    reason = whole.reason
    if total_j is not None and power_w is None:
        reason = idle.reason or f"the idle power of {device.words} was not measured"
    above = None if total_j is None or power_w is None else total_j - power_w * phase.seconds
    source = f"above the {power_w:g} W of the idle machine" if above is not None else ""
    rounded = None if above is None else float(f"{above:.6g}")
    return Metric(
        name=name, unit=METRICS[name].unit, samples=[rounded], label=whole.label, source=source,
        reason=reason,
    )  # fmt: skip


def parted(phases: Sequence[PhaseTelemetry]) -> Iterator[Flag]:
    """Where a device's counter and the integral of its power don't tell the same energy."""
    for phase in phases:
        if "energy_j" not in PHASES.get(phase.name, ()) or phase.seconds < COMPARED_S:
            continue
        for device, energy in phase.energy.items():
            counted, integral = energy.energy_j, energy.integral_j
            if counted is None or integral is None or max(counted, integral) <= 0:
                continue
            share = abs(counted - integral) / max(counted, integral)
            if share > PARTED:
                yield Flag(
                    name="energy-parted",
                    detail=f"{phase.name}: the counter of {device} says {counted:.4g} J, the "
                    f"integral of its power {integral:.4g} J",
                    metrics=["energy_j", "energy_above_idle_j", "energy_per_item_j"],
                )


def per_item(metrics: Sequence[Metric], seconds: Mapping[str, float]) -> Iterator[Metric]:
    """Joules per inference, from a manifest's metrics and how long its phases took.

    Only where a phase holds hardly anything but the calls that were timed in it.
    """
    for phase, timed in (("measure", "latency_s"), ("end-to-end", "end_to_end_s")):
        of = [m for m in metrics if m.name == "energy_j" and _is_share(m, phase)]
        calls = next((m for m in metrics if m.name == timed and not m.label), None)
        if of and calls is not None:
            yield _per_item(phase, of, calls, seconds.get(phase, 0.0))


def _is_share(metric: Metric, phase: str) -> bool:
    """Whether it is the phase's whole energy, or that of one GPU of several."""
    name, _, device = metric.label.partition(" ")
    return name == phase and device.count("/") <= 1 and device != DRAM


def _per_item(phase: str, of: Sequence[Metric], calls: Metric, phase_s: float) -> Metric:
    samples = [sample for sample in calls.samples if sample is not None]
    items, spent_s = len(samples) * calls.items, sum(samples)
    joules = [metric.samples[0] for metric in of]
    reason = "; ".join(dict.fromkeys(metric.reason for metric in of if metric.reason))
    value = None
    if not items or any(each is None for each in joules):
        reason = reason or "no call was timed"
    elif spent_s < LEAST_COVERED * phase_s:
        reason = f"its calls are only {spent_s / phase_s:.0%} of the phase"
    else:
        value = float(f"{sum(each or 0.0 for each in joules) / items:.6g}")
    source = f"{of[0].source}, over {items} items" if value is not None else ""
    return Metric(
        name="energy_per_item_j", unit=METRICS["energy_per_item_j"].unit, samples=[value],
        label=phase, source=source, reason="" if value is not None else reason,
    )  # fmt: skip
