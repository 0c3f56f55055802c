"""Reading the host sample by sample: processors, memory, temperature, disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from machine import processors
from machine.processors import DiskBytes, Ticks
from machine.rapl import DramEnergy, PackageEnergy
from manifests.telemetry_series import HostSample

WARMING_UP = "counted from the second reading on"
TOO_SOON = "too soon after the reading before"
SHORTEST_S = 0.05
"""Processor time is counted in ticks of 10 ms; over less than this a percentage says nothing."""

SLOW_EVERY_S = 2.0

_DISK = {"disk_read_bytes_per_s": "read", "disk_write_bytes_per_s": "written"}


class HostReadings(NamedTuple):
    """A sample, and why readings are missing (``host``, ``host/cpu_temperature_c``)."""

    sample: HostSample
    reasons: Dict[str, str]


class Host:
    """This machine, as its kernel describes it under ``root``."""

    def __init__(
        self,
        root: Path = processors.ROOT,
        clock: Callable[[], float] = time.monotonic,
        energy: Optional[PackageEnergy] = None,
        dram: Optional[DramEnergy] = None,
    ) -> None:
        self._root = root
        self._clock = clock
        self._energy = energy or PackageEnergy()
        self._dram = dram or DramEnergy()
        self._ticks: List[Ticks] = []
        self._ticks_at = float("-inf")
        self._slow: Dict[str, Any] = {}
        self._slow_reasons: Dict[str, str] = {}
        self._slow_at = float("-inf")
        self._disk: Optional[Tuple[float, DiskBytes]] = None

    def describe(self) -> Tuple[Optional[int], Optional[int]]:
        """Logical processors, and bytes of memory."""
        ticks = self._try("core_percent", processors.processor_ticks, {})
        memory = self._try("memory_used_bytes", processors.memory, {})
        return len(ticks) if ticks else None, memory.total if memory is not None else None

    def read(self) -> HostReadings:
        """One sample. The first one has no percentages: they are since the one before."""
        fields: Dict[str, Any] = {}
        reasons: Dict[str, str] = {}
        self._processors(fields, reasons)
        memory = self._try("memory_used_bytes", processors.memory, reasons)
        if memory is not None:
            fields["memory_used_bytes"] = memory.total - memory.available
        now = self._clock()
        if now - self._slow_at >= SLOW_EVERY_S:
            self._read_slow(now)
        for name, counter in (("package_energy_j", self._energy), ("dram_energy_j", self._dram)):
            fields[name] = counter.read_j()
            if fields[name] is None:
                reasons[f"host/{name}"] = counter.reason
        return HostReadings(
            HostSample(**fields, **self._slow),
            {**reasons, **self._slow_reasons},
        )

    def _processors(self, fields: Dict[str, Any], reasons: Dict[str, str]) -> None:
        found = self._try("core_percent", processors.processor_ticks, reasons)
        if found is None:
            reasons["host/cpu_percent"] = reasons["host/core_percent"]
            return
        before, why = self._ticks_before(found)
        if before is None:
            reasons.update({"host/core_percent": why, "host/cpu_percent": why})
            return
        pairs = [
            (then.busy - first.busy, then.every - first.every)
            for first, then in zip(before, found)
        ]  # fmt: skip
        fields["core_percent"] = [_percent(busy, every) for busy, every in pairs]
        busy, every = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        fields["cpu_percent"] = _percent(busy, every)

    def _ticks_before(self, ticks: List[Ticks]) -> Tuple[Optional[List[Ticks]], str]:
        """Those to count from, which ``ticks`` replace; None and the reason without any."""
        now, before = self._clock(), self._ticks
        if len(before) == len(ticks) and now - self._ticks_at < SHORTEST_S:
            return None, TOO_SOON
        self._ticks, self._ticks_at = ticks, now
        return (before, "") if len(before) == len(ticks) else (None, WARMING_UP)

    def _read_slow(self, now: float) -> None:
        """What takes long to read and changes slowly."""
        self._slow, self._slow_reasons, self._slow_at = {}, {}, now
        for name, read in (
            ("cpu_frequency_hz", processors.frequency_hz),
            ("cpu_temperature_c", processors.temperature_c),
        ):
            value = self._try(name, read, self._slow_reasons)
            if value is not None:
                self._slow[name] = value
        self._read_disk(now)

    def _read_disk(self, now: float) -> None:
        reasons: Dict[str, str] = {}
        found = self._try("disk", processors.disk_bytes, reasons)
        before, self._disk = self._disk, (now, found) if found is not None else None
        if found is None or before is None:
            why = reasons.get("host/disk", WARMING_UP)
            self._slow_reasons.update({f"host/{name}": why for name in _DISK})
            return
        for name, counter in _DISK.items():
            moved = getattr(found, counter) - getattr(before[1], counter)
            self._slow[name] = round(moved / (now - before[0]))

    def _try(self, name: str, read: Callable[[Path], Any], reasons: Dict[str, str]) -> Any:
        """The reading; without one, None and the reason."""
        why = "this machine doesn't tell it"
        try:
            value = read(self._root)
        except OSError as error:
            value, why = None, f"{error.filename}: {error.strerror}"
        except (LookupError, ValueError) as error:
            value, why = None, f"the kernel's files read otherwise than expected: {error!r}"
        if value is None:
            reasons[f"host/{name}"] = why
        return value


def _percent(busy: float, every: float) -> float:
    """Clock ticks of 10 ms may count a little more or less than there was."""
    return round(100 * min(1.0, max(0.0, busy / every)), 1) if every > 0 else 0.0
