"""The GPU's driver, asked through NVML while a phase runs: memory, power, energy, clocks.

One gateway for the optional package nvidia-ml-py (``pynvml``). What can't be read is ``None``
with its reason, never 0. Units stand in the names.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from manifests.manifest import Gpu
from runners.job import Job

INTERVAL_S = 0.2


class Device:
    """One GPU."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle

    def read(self) -> Dict[str, Optional[float]]:
        """One reading of everything that is cheap to read."""
        return {name: self._one(read) for name, read in _READINGS.items()}

    def energy_j(self) -> Optional[float]:
        """Joules since the driver was loaded."""
        joules: Optional[float] = self._one(
            lambda n, h: n.nvmlDeviceGetTotalEnergyConsumption(h) * 1e-3
        )
        return joules

    def describe(self) -> Gpu:
        """What it is: name, memory, driver, limits."""
        nvml = self._nvml
        memory = self._one(lambda n, h: n.nvmlDeviceGetMemoryInfo(h).total)
        clock = self._one(lambda n, h: n.nvmlDeviceGetMaxClockInfo(h, n.NVML_CLOCK_SM) * 1e6)
        return Gpu(
            name=_text(self._one(lambda n, h: n.nvmlDeviceGetName(h))) or "unknown",
            memory_bytes=int(memory) if memory else None,
            driver=_text(self._one(lambda n, h: nvml.nvmlSystemGetDriverVersion())),
            cuda=_version(self._one(lambda n, h: nvml.nvmlSystemGetCudaDriverVersion())),
            compute_capability=self._one(
                lambda n, h: "{}.{}".format(*n.nvmlDeviceGetCudaComputeCapability(h))
            ),
            power_limit_w=self._one(lambda n, h: n.nvmlDeviceGetEnforcedPowerLimit(h) * 1e-3),
            sm_clock_hz=int(clock) if clock else None,
        )

    def _one(self, read: Callable[[Any, Any], Any]) -> Any:
        try:
            return read(self._nvml, self._handle)
        except (self._nvml.NVMLError, AttributeError):
            return None


_READINGS: Dict[str, Callable[[Any, Any], float]] = {
    "memory_used_bytes": lambda n, h: n.nvmlDeviceGetMemoryInfo(h).used,
    "power_w": lambda n, h: n.nvmlDeviceGetPowerUsage(h) * 1e-3,
    "sm_clock_hz": lambda n, h: n.nvmlDeviceGetClockInfo(h, n.NVML_CLOCK_SM) * 1e6,
    "temperature_c": lambda n, h: n.nvmlDeviceGetTemperature(h, n.NVML_TEMPERATURE_GPU),
    "utilization_percent": lambda n, h: n.nvmlDeviceGetUtilizationRates(h).gpu,
}


def _text(value: Any) -> Optional[str]:
    """Older bindings give bytes."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _version(number: Optional[int]) -> Optional[str]:
    """12040 -> 12.4."""
    return None if number is None else f"{number // 1000}.{number % 1000 // 10}"


def open_device(index: int) -> Tuple[Optional[Device], str]:
    """The device, or None and why there is none."""
    nvml, reason = _library()
    if nvml is None:
        return None, reason
    try:
        return Device(nvml, _handle(nvml, index)), ""
    except nvml.NVMLError as error:
        return None, f"NVML: {error}"


def _library() -> Tuple[Any, str]:
    """pynvml, ready to be asked, or None and why it can't be."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None, "nvidia-ml-py is not installed"
    try:
        nvml.nvmlInit()
    except nvml.NVMLError as error:
        return None, f"NVML: {error}"
    return nvml, ""


def _handle(nvml: Any, index: int) -> Any:
    """NVML counts all GPUs; a framework counts those of CUDA_VISIBLE_DEVICES."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    named = visible[index].strip() if index < len(visible) else ""
    if named.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(named))
    if named.startswith("GPU-"):
        return nvml.nvmlDeviceGetHandleByUUID(named)
    return nvml.nvmlDeviceGetHandleByIndex(index)


def described_gpus() -> List[Gpu]:
    """Every GPU that NVML tells of; none where it can't be asked."""
    nvml, _ = _library()
    if nvml is None:
        return []
    try:
        handles = [nvml.nvmlDeviceGetHandleByIndex(i) for i in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError:
        return []
    return [Device(nvml, handle).describe() for handle in handles]


@contextlib.contextmanager
def watching(job: Job, index: int, series: bool = True) -> Iterator[None]:
    """Record ``energy_j`` and the driver's ``peak_memory_bytes`` of what goes on inside.

    With ``series`` there is a reading each ``INTERVAL_S``, without one at each end. The whole
    series of the machine is the orchestrator's to record.
    """
    device, reason = open_device(index)
    if device is None:
        job.record("peak_memory_bytes", [None], label="nvml", source="NVML", reason=reason)
        job.record("energy_j", [None], source="NVML", reason=reason)
        yield
        return
    before = device.energy_j()
    sampler = _Sampler(device, INTERVAL_S if series else None)
    sampler.start()
    try:
        yield
    finally:
        readings = sampler.stop()
        after = device.energy_j()
        used = None if before is None or after is None else after - before
        job.record("energy_j", [used], source="NVML total energy, whole device")
        peak = _largest(readings, "memory_used_bytes")
        often = f"every {INTERVAL_S} s" if series else "at the beginning and the end"
        source = f"NVML memory used on the device, {often}"
        job.record("peak_memory_bytes", [peak], label="nvml", source=source)


class _Sampler(threading.Thread):
    """Reads the device, now and at the end, and in between where an interval is given."""

    def __init__(self, device: Device, interval_s: Optional[float]) -> None:
        super().__init__(daemon=True)
        self._device = device
        self._interval_s = interval_s
        self._begin = time.monotonic()
        self._end = threading.Event()
        self._series: List[Dict[str, Optional[float]]] = []

    def run(self) -> None:
        ended = False
        while not ended:
            self._read()
            ended = self._end.wait(self._interval_s)

    def _read(self) -> None:
        elapsed = round(time.monotonic() - self._begin, 3)
        self._series.append({"time_s": elapsed, **self._device.read()})

    def stop(self) -> List[Dict[str, Optional[float]]]:
        self._end.set()
        self.join()
        self._read()
        return self._series


def _largest(series: List[Dict[str, Optional[float]]], name: str) -> Optional[float]:
    known = [reading[name] for reading in series if reading.get(name) is not None]
    return max(known) if known else None  # type: ignore[type-var]
