"""A deterministic NVML: the calls that the gateway uses, with faults where a test wants them.

Constants and errors are those of the real package, so that a name it doesn't have fails here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml


@dataclass(eq=False)
class FakeGpu:
    """One GPU in NVML's own units (mW, mJ, MHz, bytes)."""

    name: str = "Fake RTX 4000"
    utilization: int = 50
    memory_busy: int = 25
    memory_used: int = 3 * 2**30
    power_mw: int = 125_000
    energy_mj: int = 1_000_000
    temperature: int = 61
    sm_mhz: int = 1500
    memory_mhz: int = 6501
    reasons: int = 0
    processes: list[tuple[int, int | None]] = field(default_factory=list)
    mig: int = 0
    persistence: int = 1
    ecc: tuple[int, int] = (1, 1)
    compute_mode: int = 0
    application_mhz: tuple[int, int] = (1500, 6501)
    power_limit_mw: int = 160_000
    instant_mw: int | None = 140_000
    module_mw: int | None = 310_000


class FakeNvml:
    """Answers like the module ``pynvml``.

    ``faults`` maps a function's name, alone or with a GPU's number, to the error code that it
    raises. ``calls`` are the names of what was called. ``missing`` are names that this
    release of the package doesn't have.
    """

    def __init__(self, *gpus: FakeGpu) -> None:
        self.gpus = list(gpus)
        self.faults: dict[str | tuple[str, int], int] = {}
        self.missing: set[str] = set()
        self.calls: list[str] = []
        self.open = False

    def __getattr__(self, name: str) -> Any:
        if name in self.missing:
            raise AttributeError(f"no {name}", name=name, obj=self)
        answer = getattr(type(self), f"_{name}", None)
        if answer is None:
            value = getattr(pynvml, name)
            assert not callable(value) or isinstance(value, type), f"{name} has no fake"
            return value
        return lambda *arguments, **options: self._call(name, answer, arguments, options)

    def _call(self, name: str, answer: Any, arguments: Any, options: Any) -> Any:
        self.calls.append(name)
        if not self.open and name != "nvmlInit":
            raise pynvml.NVMLError(pynvml.NVML_ERROR_UNINITIALIZED)
        number = self.gpus.index(arguments[0]) if arguments and arguments[0] in self.gpus else -1
        code = self.faults.get((name, number)) or self.faults.get(name)
        if code is None and number >= 0:
            code = self.faults.get(("*", number)) or self.faults.get("*")
        if code is not None:
            raise pynvml.NVMLError(code)
        return answer(self, *arguments, **options)

    def _nvmlInit(self) -> None:
        self.open = True

    def _nvmlShutdown(self) -> None:
        self.open = False

    def _nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def _nvmlDeviceGetHandleByIndex(self, index: int) -> FakeGpu:
        return self.gpus[index]

    def _nvmlSystemGetDriverVersion(self) -> str:
        return "570.86.10"

    def _nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        return 12080

    def _nvmlDeviceGetName(self, gpu: FakeGpu) -> str:
        return gpu.name

    def _nvmlDeviceGetUUID(self, gpu: FakeGpu) -> str:
        return f"GPU-{self.gpus.index(gpu):08d}"

    def _nvmlDeviceGetMaxMigDeviceCount(self, gpu: FakeGpu) -> int:
        return 0

    def _nvmlDeviceGetCudaComputeCapability(self, gpu: FakeGpu) -> tuple[int, int]:
        return (7, 5)

    def _nvmlDeviceGetEnforcedPowerLimit(self, gpu: FakeGpu) -> int:
        return gpu.power_limit_mw

    def _nvmlDeviceGetMaxClockInfo(self, gpu: FakeGpu, kind: int) -> int:
        return {pynvml.NVML_CLOCK_SM: 2100, pynvml.NVML_CLOCK_MEM: 6501}[kind]

    def _nvmlDeviceGetPowerManagementDefaultLimit(self, gpu: FakeGpu) -> int:
        return 160_000

    def _nvmlDeviceGetPersistenceMode(self, gpu: FakeGpu) -> int:
        return gpu.persistence

    def _nvmlDeviceGetEccMode(self, gpu: FakeGpu) -> list[int]:
        return list(gpu.ecc)

    def _nvmlDeviceGetComputeMode(self, gpu: FakeGpu) -> int:
        return gpu.compute_mode

    def _nvmlDeviceGetApplicationsClock(self, gpu: FakeGpu, kind: int) -> int:
        sm, memory = gpu.application_mhz
        return {pynvml.NVML_CLOCK_SM: sm, pynvml.NVML_CLOCK_MEM: memory}[kind]

    def _nvmlDeviceGetDefaultApplicationsClock(self, gpu: FakeGpu, kind: int) -> int:
        return {pynvml.NVML_CLOCK_SM: 1500, pynvml.NVML_CLOCK_MEM: 6501}[kind]

    def _nvmlDeviceGetFieldValues(self, gpu: FakeGpu, asked: list[Any]) -> list[SimpleNamespace]:
        known = {
            (pynvml.NVML_FI_DEV_POWER_INSTANT, pynvml.NVML_POWER_SCOPE_GPU): gpu.instant_mw,
            (pynvml.NVML_FI_DEV_POWER_INSTANT, pynvml.NVML_POWER_SCOPE_MODULE): gpu.module_mw,
        }
        return [_field_value(known[tuple(field)]) for field in asked]

    def _nvmlDeviceGetMigMode(self, gpu: FakeGpu) -> list[int]:
        return [gpu.mig, gpu.mig]

    def _nvmlDeviceGetUtilizationRates(self, gpu: FakeGpu) -> SimpleNamespace:
        return SimpleNamespace(gpu=gpu.utilization, memory=gpu.memory_busy)

    def _nvmlDeviceGetMemoryInfo(self, gpu: FakeGpu, version: int | None = None) -> SimpleNamespace:
        reserved = 2**28
        used = gpu.memory_used if version else gpu.memory_used + reserved
        return SimpleNamespace(total=8 * 2**30, used=used)

    def _nvmlDeviceGetPowerUsage(self, gpu: FakeGpu) -> int:
        return gpu.power_mw

    def _nvmlDeviceGetTotalEnergyConsumption(self, gpu: FakeGpu) -> int:
        return gpu.energy_mj

    def _nvmlDeviceGetTemperatureV(self, gpu: FakeGpu, sensor: int) -> int:
        assert sensor == pynvml.NVML_TEMPERATURE_GPU
        return gpu.temperature

    def _nvmlDeviceGetTemperature(self, gpu: FakeGpu, sensor: int) -> int:
        return gpu.temperature

    def _nvmlDeviceGetClockInfo(self, gpu: FakeGpu, kind: int) -> int:
        return {pynvml.NVML_CLOCK_SM: gpu.sm_mhz, pynvml.NVML_CLOCK_MEM: gpu.memory_mhz}[kind]

    def _nvmlDeviceGetCurrentClocksEventReasons(self, gpu: FakeGpu) -> int:
        return gpu.reasons

    def _nvmlDeviceGetCurrentClocksThrottleReasons(self, gpu: FakeGpu) -> int:
        return gpu.reasons

    def _nvmlDeviceGetComputeRunningProcesses(self, gpu: FakeGpu) -> list[SimpleNamespace]:
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in gpu.processes]


def _field_value(number: int | None) -> SimpleNamespace:
    """As ``c_nvmlFieldValue_t``: each value has a status of its own."""
    if number is None:
        return SimpleNamespace(nvmlReturn=pynvml.NVML_ERROR_NOT_SUPPORTED)
    value = SimpleNamespace(uiVal=number)
    kind = pynvml.NVML_VALUE_TYPE_UNSIGNED_INT
    return SimpleNamespace(nvmlReturn=pynvml.NVML_SUCCESS, valueType=kind, value=value)
