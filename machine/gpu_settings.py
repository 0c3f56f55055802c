"""How a GPU was set by its owner: persistence, clocks, ECC, power limit, who may compute on it."""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Tuple

from machine.nvml import Call, Failure
from manifests.hardware import GpuSettings

_MHZ = 1_000_000
_USER_CLOCKS = 0x2
"""Source: nvml.h, nvmlClocksEventReasonApplicationsClocksSetting."""

NO_LOCK_SHOWN = "NVML shows application clocks, and no lock (nvidia-smi --lock-gpu-clocks)"

# Source: nvml.h, nvmlComputeMode_t.
_MODES = {0: "default", 1: "exclusive-thread", 2: "prohibited", 3: "exclusive-process"}

Ask = Callable[[Call[Any]], Any]
"""A call to NVML about this GPU: what it gives, or a Failure."""


class _Fact(NamedTuple):
    """The fields that one call fills."""

    fields: Tuple[str, ...]
    call: Call[Tuple[Any, ...]]


_FACTS = (
    _Fact(("persistence",), lambda nvml, gpu: (bool(nvml.nvmlDeviceGetPersistenceMode(gpu)),)),
    _Fact(
        ("ecc", "ecc_after_restart"),
        lambda nvml, gpu: tuple(bool(mode) for mode in nvml.nvmlDeviceGetEccMode(gpu)),
    ),
    _Fact(("compute_mode",), lambda nvml, gpu: (_mode(nvml.nvmlDeviceGetComputeMode(gpu)),)),
    _Fact(
        ("application_sm_clock_hz",),
        lambda nvml, gpu: (nvml.nvmlDeviceGetApplicationsClock(gpu, nvml.NVML_CLOCK_SM) * _MHZ,),
    ),
    _Fact(
        ("application_memory_clock_hz",),
        lambda nvml, gpu: (nvml.nvmlDeviceGetApplicationsClock(gpu, nvml.NVML_CLOCK_MEM) * _MHZ,),
    ),
    _Fact(
        ("default_sm_clock_hz",),
        lambda nvml, gpu: (
            nvml.nvmlDeviceGetDefaultApplicationsClock(gpu, nvml.NVML_CLOCK_SM) * _MHZ,
        ),
    ),
    _Fact(
        ("default_memory_clock_hz",),
        lambda nvml, gpu: (
            nvml.nvmlDeviceGetDefaultApplicationsClock(gpu, nvml.NVML_CLOCK_MEM) * _MHZ,
        ),
    ),
    _Fact(
        ("power_limit_default_w",),
        lambda nvml, gpu: (nvml.nvmlDeviceGetPowerManagementDefaultLimit(gpu) / 1e3,),
    ),
)


def read(ask: Ask) -> GpuSettings:
    """All that NVML tells; a reason for each of the rest."""
    found: Dict[str, Any] = {}
    reasons: Dict[str, str] = {}
    for fact in _FACTS:
        told = ask(fact.call)
        if isinstance(told, Failure):
            reasons.update(dict.fromkeys(fact.fields, told.reason))
        else:
            found.update(zip(fact.fields, told))
    if _fixed(found, ask):
        found["clocks_fixed"] = True
    else:
        reasons["clocks_fixed"] = NO_LOCK_SHOWN
    return GpuSettings(**found, reasons=reasons)


def _fixed(found: Dict[str, Any], ask: Ask) -> bool:
    """By other application clocks than the board's own, or because the driver says so now."""
    for kind in ("sm", "memory"):
        chosen = found.get(f"application_{kind}_clock_hz")
        if chosen is not None and chosen != found.get(f"default_{kind}_clock_hz", chosen):
            return True
    bits = ask(lambda nvml, gpu: nvml.nvmlDeviceGetCurrentClocksEventReasons(gpu))
    return isinstance(bits, int) and bool(bits & _USER_CLOCKS)


def _mode(number: int) -> str:
    return _MODES.get(number, str(number))
