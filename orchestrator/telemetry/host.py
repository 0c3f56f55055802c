"""Reading the host through psutil: processors, memory, temperature, disk."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from manifests.telemetry_series import HostSample
from orchestrator.telemetry.rapl import PackageEnergy

MISSING_PACKAGE = "the package psutil is not installed"
WARMING_UP = "counted from the second reading on"
TOO_SOON = "too soon after the reading before"
SHORTEST_S = 0.05
"""Processor time is counted in ticks of 10 ms; over less than this a percentage says nothing."""

SLOW_EVERY_S = 2.0

_DISK = {"disk_read_bytes_per_s": "read_bytes", "disk_write_bytes_per_s": "write_bytes"}

# What the sensors in or at a processor are called by their drivers.
_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal")


class HostReadings(NamedTuple):
    """A sample, and why readings are missing (``host``, ``host/cpu_temperature_c``)."""

    sample: HostSample
    reasons: dict[str, str]


class Host:
    """This machine. ``library`` is psutil, or None when it is missing."""

    def __init__(
        self,
        library: Any = None,
        clock: Callable[[], float] = time.monotonic,
        energy: PackageEnergy | None = None,
    ) -> None:
        self._psutil = library or load_psutil()
        self._clock = clock
        self._energy = energy or PackageEnergy()
        self._ticks: list[tuple[float, float]] = []
        self._ticks_at = float("-inf")
        self._slow: dict[str, Any] = {}
        self._slow_reasons: dict[str, str] = {}
        self._slow_at = float("-inf")
        self._disk: tuple[float, Any] | None = None

    def describe(self) -> tuple[int | None, int | None]:
        """Logical processors, and bytes of memory."""
        if self._psutil is None:
            return None, None
        memory = self._try("memory_used_bytes", self._psutil.virtual_memory, {})
        return self._psutil.cpu_count(), memory.total if memory is not None else None

    def read(self) -> HostReadings:
        """One sample. The first one has no percentages: they are since the one before."""
        if self._psutil is None:
            return HostReadings(HostSample(), {"host": MISSING_PACKAGE})
        fields: dict[str, Any] = {}
        reasons: dict[str, str] = {}
        self._processors(fields, reasons)
        memory = self._try("memory_used_bytes", self._psutil.virtual_memory, reasons)
        if memory is not None:
            fields["memory_used_bytes"] = memory.total - memory.available
        now = self._clock()
        if now - self._slow_at >= SLOW_EVERY_S:
            self._read_slow(now)
        energy = self._energy.read_j()
        if energy is None:
            reasons["host/package_energy_j"] = self._energy.reason
        return HostReadings(
            HostSample(**fields, **self._slow, package_energy_j=energy),
            {**reasons, **self._slow_reasons},
        )

    def _processors(self, fields: dict[str, Any], reasons: dict[str, str]) -> None:
        found = self._try("core_percent", lambda: self._psutil.cpu_times(percpu=True), reasons)
        if found is None:
            reasons["host/cpu_percent"] = reasons["host/core_percent"]
            return
        ticks = [_busy_and_all(times) for times in found]
        before, why = self._ticks_before(ticks)
        if before is None:
            reasons.update({"host/core_percent": why, "host/cpu_percent": why})
            return
        pairs = [(b1 - b0, t1 - t0) for (b0, t0), (b1, t1) in zip(before, ticks, strict=True)]
        fields["core_percent"] = [_percent(busy, every) for busy, every in pairs]
        busy, every = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        fields["cpu_percent"] = _percent(busy, every)

    def _ticks_before(
        self, ticks: list[tuple[float, float]]
    ) -> tuple[list[tuple[float, float]] | None, str]:
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
            ("cpu_frequency_hz", self._frequency_hz),
            ("cpu_temperature_c", self._temperature_c),
        ):
            value = self._try(name, read, self._slow_reasons)
            if value is not None:
                self._slow[name] = value
        self._read_disk(now)

    def _read_disk(self, now: float) -> None:
        reasons: dict[str, str] = {}
        found = self._try("disk", self._psutil.disk_io_counters, reasons)
        before, self._disk = self._disk, (now, found) if found is not None else None
        if found is None or before is None:
            why = reasons.get("host/disk", WARMING_UP)
            self._slow_reasons.update({f"host/{name}": why for name in _DISK})
            return
        for name, counter in _DISK.items():
            moved = getattr(found, counter) - getattr(before[1], counter)
            self._slow[name] = round(moved / (now - before[0]))

    def _frequency_hz(self) -> int | None:
        found = self._psutil.cpu_freq()
        return round(found.current * 1e6) if found and found.current else None

    def _temperature_c(self) -> float | None:
        """The hottest sensor of the processors."""
        sensors = self._psutil.sensors_temperatures()
        found = [
            entry.current
            for name in _CPU_SENSORS
            for entry in sensors.get(name, [])
            if entry.current is not None
        ]
        return max(found, default=None)

    def _try(self, name: str, read: Callable[[], Any], reasons: dict[str, str]) -> Any:
        """The reading; without one, None and the reason."""
        why = "this machine doesn't tell it"
        try:
            value = read()
        except (OSError, RuntimeError, AttributeError, LookupError, ValueError) as error:
            value, why = None, f"psutil: {error}"
        if value is None:
            reasons[f"host/{name}"] = why
        return value


def load_psutil() -> Any:
    """The package, or None without it."""
    try:
        return importlib.import_module("psutil")
    except ImportError:
        return None


def _busy_and_all(times: Any) -> tuple[float, float]:
    """Seconds; guests are counted in user already."""
    every = times.user + times.system + times.idle
    every += sum(getattr(times, name, 0.0) for name in ("nice", "irq", "softirq", "steal"))
    waiting = getattr(times, "iowait", 0.0)
    return every - times.idle, every + waiting


def _percent(busy: float, every: float) -> float:
    """Clock ticks of 10 ms may count a little more or less than there was."""
    return round(100 * min(1.0, max(0.0, busy / every)), 1) if every > 0 else 0.0
