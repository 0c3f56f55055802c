"""What a manifest says of its telemetry: a table with a column a phase.

Columns rather than a record for each phase, because thousands of manifests are held in memory
at once and most of their readers never look at this.
"""

from __future__ import annotations

from typing import Dict, List, Literal, NamedTuple, Optional

import msgspec

EnergyMethod = Literal["counter-difference", "integrated-power", "none"]


class Readings(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One quantity in the unit of its name, phase by phase; ``None`` where no sample has it."""

    mean: List[Optional[float]]
    max: List[Optional[float]]


class Energy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Energy over a phase.

    ``method``: the difference of the device's own counter, or its power integrated over time
    (trapezoids). Both are interpolated at the phase's ends. ``integral_j`` is the latter beside
    the former, where both are known.
    """

    energy_j: Optional[float]
    method: EnergyMethod
    reason: str = ""
    integral_j: Optional[float] = None


class Reading(NamedTuple):
    """One quantity in one phase."""

    mean: float
    max: float


class PhaseTelemetry(NamedTuple):
    """One phase (all of that name together), until the next one began.

    ``throttle_share`` is the share of a GPU's samples in which its clocks were held down; a
    GPU that doesn't say has ``None``.
    """

    name: str
    seconds: float
    samples: int
    readings: Dict[str, Reading]
    energy: Dict[str, Energy]
    throttle_share: Dict[str, Optional[float]]


class Telemetry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Summary of the series sampled on the host while the cell ran, and where it lies.

    ``samples`` were taken, one in ``kept_every`` of them is in the file. The lists of
    ``seconds``, ``phase_samples``, ``readings``, ``energy`` and ``throttle_share`` go along
    ``phases``; readings have the names they have in the series (``gpus/0/power_w``,
    ``host/cpu_percent``, ``cell/memory_bytes``), energy and throttling those of the devices.
    ``gpus`` are the driver's numbers of the cell's GPUs, ``gpu_uuids`` goes along them.
    ``reasons`` says of each reading that was ever missing why. Without a series ``path`` is
    empty and ``reason`` says why.
    """

    path: str
    samples: int
    sha256: Optional[str] = None
    interval_s: Optional[float] = None
    kept_every: int = 1
    gpus: List[int] = []
    gpu_uuids: List[Optional[str]] = []
    phases: List[str] = []
    seconds: List[float] = []
    phase_samples: List[int] = []
    readings: Dict[str, Readings] = {}
    energy: Dict[str, List[Optional[Energy]]] = {}
    throttle_share: Dict[str, List[Optional[float]]] = {}
    reasons: Dict[str, str] = {}
    reason: str = ""

    def phase(self, name: str) -> Optional[PhaseTelemetry]:
        """What the phase of that name was like, or None."""
        return self._phase(self.phases.index(name)) if name in self.phases else None

    def by_phase(self) -> List[PhaseTelemetry]:
        """All phases in the order in which they began."""
        return [self._phase(position) for position in range(len(self.phases))]

    def _phase(self, at: int) -> PhaseTelemetry:
        readings = {}
        for key, column in self.readings.items():
            mean, most = column.mean[at], column.max[at]
            if mean is not None and most is not None:
                readings[key] = Reading(mean, most)
        energy = {device: column[at] for device, column in self.energy.items()}
        return PhaseTelemetry(
            self.phases[at],
            self.seconds[at],
            self.phase_samples[at],
            readings,
            {device: found for device, found in energy.items() if found is not None},
            {device: column[at] for device, column in self.throttle_share.items()},
        )


def tabulated(telemetry: Telemetry, phases: List[PhaseTelemetry]) -> Telemetry:
    """The summary with these phases as its columns."""
    keys = dict.fromkeys(key for phase in phases for key in phase.readings)
    devices = dict.fromkeys(device for phase in phases for device in phase.energy)
    throttled = dict.fromkeys(device for phase in phases for device in phase.throttle_share)
    return msgspec.structs.replace(
        telemetry,
        phases=[phase.name for phase in phases],
        seconds=[phase.seconds for phase in phases],
        phase_samples=[phase.samples for phase in phases],
        readings={key: _column(phases, key) for key in keys},
        energy={device: [phase.energy.get(device) for phase in phases] for device in devices},
        throttle_share={
            device: [phase.throttle_share.get(device) for phase in phases] for device in throttled
        },
    )


def _column(phases: List[PhaseTelemetry], key: str) -> Readings:
    found = [phase.readings.get(key) for phase in phases]
    return Readings(
        mean=[None if reading is None else reading.mean for reading in found],
        max=[None if reading is None else reading.max for reading in found],
    )
