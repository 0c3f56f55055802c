"""The series of a cell, ``telemetry.jsonl``: one JSON object a line, units in the names.

The first line is an ``Opening``; then come ``Sample``, ``PhaseMark`` and ``Reasons`` in the
order of time. A reading that is missing is ``None``, and ``Reasons`` says why.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Union

import msgspec

from manifests.manifest import Gpu

TELEMETRY_NAME = "repliquant/telemetry"
TELEMETRY_VERSION = 1
TELEMETRY_SCHEMA = f"{TELEMETRY_NAME}/{TELEMETRY_VERSION}"

BEFORE = "start"
"""What the time before a runner's first phase is called."""

AFTER = "end"
"""What the time after its last word is called."""


class GpuProcess(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """A process that computes on a GPU.

    ``own`` says whether it belongs to a cell of this run; ``None``: nobody can tell.
    """

    pid: int
    memory_bytes: Optional[int] = None
    own: Optional[bool] = None


class GpuSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One reading of one GPU.

    ``utilization_percent`` is the share of time in which a kernel ran, ``memory_busy_percent``
    that in which memory was read or written, both over the driver's own last period (1/6 s to
    1 s). ``power_w`` is the mean of the last second on most boards, ``instant_power_w`` the same
    domain now, ``module_power_w`` that of the whole module, processor included, where the GPU is
    built into one. ``energy_j`` is a counter that began when the driver was loaded.
    ``clock_reasons`` are names of CLOCK_REASONS that hold now. ``processes`` are listed every few
    seconds.
    """

    index: int
    utilization_percent: Optional[float] = None
    memory_busy_percent: Optional[float] = None
    memory_used_bytes: Optional[int] = None
    power_w: Optional[float] = None
    energy_j: Optional[float] = None
    temperature_c: Optional[float] = None
    sm_clock_hz: Optional[int] = None
    memory_clock_hz: Optional[int] = None
    clock_reasons: Optional[List[str]] = None
    processes: Optional[List[GpuProcess]] = None
    instant_power_w: Optional[float] = None
    module_power_w: Optional[float] = None


CLOCK_REASONS: Dict[str, str] = {
    "idle": "nothing runs on the GPU",
    "user-clocks": "clocks that somebody set",
    "power-cap": "the power limit",
    "hardware-slowdown": "temperature, power brake or supply, says the hardware",
    "sync-boost": "the clocks of a group of GPUs are held together",
    "thermal-software": "temperature, says the driver",
    "thermal-hardware": "temperature, says the hardware",
    "power-brake": "the machine's power supply",
    "display-clocks": "clocks of a display",
    "board-limit": "a limit of the board",
    "reliability": "a limit of the voltage",
}
"""Why a GPU's clocks are as they are. Source: NVML API, nvmlClocksEventReasons."""

THROTTLING = frozenset(
    {"power-cap", "hardware-slowdown", "thermal-software", "thermal-hardware", "power-brake",
     "board-limit", "reliability"}
)  # fmt: skip
"""The reasons that slow a working GPU down."""


class HostSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One reading of the whole host.

    Percentages of processors are since the sample before; ``cpu_percent`` is of all of them
    together, at most 100. Frequency, temperature and disk are read anew every two seconds.
    ``package_energy_j`` is a counter over all processor packages, ``dram_energy_j`` one over the
    memory beside them.
    """

    cpu_percent: Optional[float] = None
    core_percent: Optional[List[float]] = None
    memory_used_bytes: Optional[int] = None
    cpu_frequency_hz: Optional[int] = None
    cpu_temperature_c: Optional[float] = None
    disk_read_bytes_per_s: Optional[float] = None
    disk_write_bytes_per_s: Optional[float] = None
    package_energy_j: Optional[float] = None
    dram_energy_j: Optional[float] = None


class CellSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One reading of a cell's processes or its container. 100 percent are one core.

    ``memory_bytes`` is the resident memory of all its processes (those that share pages count
    them each), or a container's memory without the file cache it can give back. ``stopped`` says
    that somebody stopped its processes or froze its container, so that it did nothing.
    """

    cpu_percent: Optional[float] = None
    memory_bytes: Optional[int] = None
    processes: Optional[int] = None
    stopped: bool = False


class Sample(
    msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="line", tag="sample"
):
    """Everything that was read at one moment.

    ``time_s`` is seconds since the series began. ``cells`` is by cell id. ``reasons`` says why
    a reading is missing: ``gpus/0/power_w``, ``host/cpu_temperature_c``, ``gpus`` for all of
    them; in a file it is left out while it stays the same (see ``Reasons``).
    """

    time_s: float
    host: HostSample = HostSample()
    gpus: List[GpuSample] = []
    cells: Dict[str, CellSample] = {}
    reasons: Dict[str, str] = {}

    def gpu(self, index: int) -> Optional[GpuSample]:
        """The reading of the GPU of that number, or None."""
        return next((gpu for gpu in self.gpus if gpu.index == index), None)


class PhaseMark(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="phase"):
    """A phase of the runner begins at ``time_s``; ``runner_s`` is the runner's own clock."""

    time_s: float
    name: str
    runner_s: Optional[float] = None


class Reasons(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="reasons"):
    """From here on these readings are missing for these reasons, and no others."""

    time_s: float
    reasons: Dict[str, str]


class Opening(msgspec.Struct, frozen=True, kw_only=True, tag_field="line", tag="opening"):
    """What the series is of.

    ``made_up`` is empty for a recording of a real machine; else it says how the numbers were
    made. One in ``kept_every`` samples is in the file. ``gpus`` are by the numbers that the
    samples give them.
    """

    schema: str = TELEMETRY_SCHEMA
    started_at: str
    interval_s: float
    made_up: str = ""
    kept_every: int = 1
    cell: str = ""
    cell_source: str = ""
    cpus: Optional[int] = None
    memory_bytes: Optional[int] = None
    gpus: Dict[int, Gpu] = {}


Line = Union[Opening, Sample, PhaseMark, Reasons]

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Line)


def encode(line: Line) -> bytes:
    """One line, with its newline."""
    return _encoder.encode(line) + b"\n"


def decode(data: bytes) -> Line:
    """Parse one line. Raises msgspec.MsgspecError or UnicodeDecodeError."""
    line: Line = _decoder.decode(data)
    return line
