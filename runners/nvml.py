"""The GPU's driver, asked through NVML while a phase runs: memory, power, energy, clocks.

One gateway for the optional package nvidia-ml-py (``pynvml``). What can't be read is ``None``
with its reason, never 0. Units stand in the names. Every call has a deadline: a driver that hangs
must not hold up the cell, nor its manifest.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import msgspec

from manifests.deadlines import NoAnswerError, Patience
from manifests.manifest import Gpu
from runners.job import Job

INTERVAL_S = 0.2
OPEN_S, READ_S = 15.0, 3.0
_GONE = ("is lost", "reset", "no answer")
_patience = Patience()


class Device:
    """One GPU."""

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml = nvml
        self._handle = handle
        self.reason = ""  # why it tells nothing more, or the last thing that it didn't tell

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
            uuid=_text(self._one(lambda n, h: n.nvmlDeviceGetUUID(h))),
        )

    def _one(self, read: Callable[[Any, Any], Any]) -> Any:
        """One reading, or None; a GPU that was lost or hangs is not asked again."""
        if any(sign in self.reason for sign in _GONE):
            return None
        try:
            return _patience.call(lambda: read(self._nvml, self._handle), READ_S)
        except (self._nvml.NVMLError, AttributeError, NoAnswerError) as error:
            self.reason = f"NVML: {error}"
            return None


def _memory_used_bytes(nvml: Any, handle: Any) -> float:
    """Without what the driver keeps for itself, where it knows the second version of the answer."""
    version = getattr(nvml, "nvmlMemory_v2", None)
    if version is not None:
        with contextlib.suppress(nvml.NVMLError):
            used: float = nvml.nvmlDeviceGetMemoryInfo(handle, version=version).used
            return used
    with_reserve: float = nvml.nvmlDeviceGetMemoryInfo(handle).used
    return with_reserve


_READINGS: Dict[str, Callable[[Any, Any], float]] = {
    "memory_used_bytes": _memory_used_bytes,
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
    """The device that a framework calls ``index``, or None and why there is none."""
    nvml, reason = _library()
    if nvml is None:
        return None, reason
    try:
        handle = _patience.call(lambda: _handle(nvml, index), OPEN_S)
    except (nvml.NVMLError, NoAnswerError, LookupError) as error:
        return None, f"NVML: {error}"
    return Device(nvml, handle), ""


def _library() -> Tuple[Any, str]:
    """pynvml, ready to be asked, or None and why it can't be."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None, "nvidia-ml-py is not installed"
    try:
        _patience.call(nvml.nvmlInit, OPEN_S)
    except (nvml.NVMLError, NoAnswerError) as error:
        return None, f"NVML: {error}"
    return nvml, ""


def _handle(nvml: Any, index: int) -> Any:
    """NVML counts all GPUs; a framework counts those of CUDA_VISIBLE_DEVICES.

    Raises LookupError where the variable has no entry for it.
    """
    variable = os.environ.get("CUDA_VISIBLE_DEVICES")
    if variable is None:
        return nvml.nvmlDeviceGetHandleByIndex(index)
    entries = [entry.strip() for entry in variable.split(",")]
    entry = entries[index] if index < len(entries) else ""
    if entry.isdigit():
        return nvml.nvmlDeviceGetHandleByIndex(int(entry))
    if entry.startswith(("GPU-", "MIG-")):
        return nvml.nvmlDeviceGetHandleByUUID(entry)
    raise LookupError(f"CUDA_VISIBLE_DEVICES={variable!r} has no GPU {index}")


def described_gpus() -> List[Gpu]:
    """Every GPU that NVML tells of; none where it can't be asked."""
    nvml, _ = _library()
    if nvml is None:
        return []
    try:
        count = _patience.call(nvml.nvmlDeviceGetCount, READ_S)
    except (nvml.NVMLError, NoAnswerError):
        return []
    found = (_described(nvml, index) for index in range(count))
    return [gpu for gpu in found if gpu is not None]


def _described(nvml: Any, index: int) -> Optional[Gpu]:
    """One of them; none where it is somebody else's, or was lost."""
    try:
        handle = _patience.call(lambda: nvml.nvmlDeviceGetHandleByIndex(index), OPEN_S)
    except (nvml.NVMLError, NoAnswerError):
        return None
    return msgspec.structs.replace(Device(nvml, handle).describe(), index=index)


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
        why = "" if used is not None else device.reason
        job.record("energy_j", [used], source="NVML total energy, whole device", reason=why)
        peak = _largest(readings, "memory_used_bytes")
        often = f"every {INTERVAL_S} s" if series else "at the beginning and the end"
        source = f"NVML memory used on the device without the driver's reserve, {often}"
        why = "" if peak is not None else device.reason
        job.record("peak_memory_bytes", [peak], label="nvml", source=source, reason=why)


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
