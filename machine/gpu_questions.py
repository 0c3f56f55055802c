"""What is asked of a GPU for each sample: the calls of NVML, and what their answers mean."""

from __future__ import annotations

from typing import Any, NamedTuple

from machine.nvml import Call

MHZ = 1_000_000


class Question(NamedTuple):
    """The fields that one call fills; further ways to ask are for older drivers."""

    fields: tuple[str, ...]
    ways: tuple[Call[tuple[Any, ...]], ...]


def _utilization(library: Any, handle: Any) -> tuple[Any, ...]:
    rates = library.nvmlDeviceGetUtilizationRates(handle)
    return float(rates.gpu), float(rates.memory)


def _instant_w(nvml: Any, gpu: Any, scope: int) -> tuple[float]:
    """Power now, of a part of the board: each field's answer has a status of its own."""
    (found,) = nvml.nvmlDeviceGetFieldValues(gpu, [(nvml.NVML_FI_DEV_POWER_INSTANT, scope)])
    if found.nvmlReturn != nvml.NVML_SUCCESS:
        raise nvml.NVMLError(found.nvmlReturn)
    return (found.value.uiVal / 1e3,)


def _clock_reasons(bits: int) -> tuple[list[str]]:
    return ([name for bit, name in _REASON_BITS.items() if bits & bit],)


# Source: nvml.h, nvmlClocksEventReasons.
_REASON_BITS = {
    0x001: "idle",
    0x002: "user-clocks",
    0x004: "power-cap",
    0x008: "hardware-slowdown",
    0x010: "sync-boost",
    0x020: "thermal-software",
    0x040: "thermal-hardware",
    0x080: "power-brake",
    0x100: "display-clocks",
    0x200: "board-limit",
    0x400: "reliability",
}

QUESTIONS = (
    Question(("utilization_percent", "memory_busy_percent"), (_utilization,)),
    Question(
        ("memory_used_bytes",),
        (
            lambda nvml, gpu: (nvml.nvmlDeviceGetMemoryInfo(gpu, version=nvml.nvmlMemory_v2).used,),
            lambda nvml, gpu: (nvml.nvmlDeviceGetMemoryInfo(gpu).used,),
        ),
    ),
    Question(("power_w",), (lambda nvml, gpu: (nvml.nvmlDeviceGetPowerUsage(gpu) / 1e3,),)),
    Question(
        ("instant_power_w",), (lambda nvml, gpu: _instant_w(nvml, gpu, nvml.NVML_POWER_SCOPE_GPU),)
    ),
    Question(
        ("module_power_w",),
        (lambda nvml, gpu: _instant_w(nvml, gpu, nvml.NVML_POWER_SCOPE_MODULE),),
    ),
    Question(
        ("energy_j",),
        (lambda nvml, gpu: (nvml.nvmlDeviceGetTotalEnergyConsumption(gpu) / 1e3,),),
    ),
    Question(
        ("temperature_c",),
        (
            lambda nvml, gpu: (
                float(nvml.nvmlDeviceGetTemperatureV(gpu, nvml.NVML_TEMPERATURE_GPU)),
            ),
            lambda nvml, gpu: (
                float(nvml.nvmlDeviceGetTemperature(gpu, nvml.NVML_TEMPERATURE_GPU)),
            ),
        ),
    ),
    Question(
        ("sm_clock_hz",),
        (lambda nvml, gpu: (nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_SM) * MHZ,),),
    ),
    Question(
        ("memory_clock_hz",),
        (lambda nvml, gpu: (nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_MEM) * MHZ,),),
    ),
    Question(
        ("clock_reasons",),
        (
            lambda nvml, gpu: _clock_reasons(nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu)),
            lambda nvml, gpu: _clock_reasons(nvml.nvmlDeviceGetCurrentClocksThrottleReasons(gpu)),
        ),
    ),
)
PROCESSES = Question(
    ("processes",), (lambda nvml, gpu: (nvml.nvmlDeviceGetComputeRunningProcesses(gpu),),)
)
