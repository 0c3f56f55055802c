"""The real package of NVML has every name and bit that is used here, and so has the fake."""

from __future__ import annotations

import dataclasses
import inspect
import re

import pynvml

from machine import gpu_questions, gpu_settings
from machine import gpus as gpus_module
from machine.gpus import NvmlGpus
from manifests.telemetry_series import CLOCK_REASONS, THROTTLING
from tests.fakes.nvml import FakeGpu, FakeNvml


def test_the_real_library_is_not_here_or_answers() -> None:
    """Whatever this machine has, it is an answer or a reason."""
    gpus = NvmlGpus()
    found = gpus.read(lambda pid: None)
    assert found.samples or set(found.reasons) == {"gpus"}
    gpus.close()


def test_every_call_exists_in_the_real_package() -> None:
    names = set(re.findall(r"\b(?:nvml|library)\.(nvml\w+|NVML_\w+)", _sources()))
    assert len(names) > 15
    assert [name for name in sorted(names) if not hasattr(pynvml, name)] == []


def test_the_bits_are_those_of_the_real_package() -> None:
    bits = {
        "idle": pynvml.nvmlClocksEventReasonGpuIdle,
        "user-clocks": pynvml.nvmlClocksEventReasonApplicationsClocksSetting,
        "power-cap": pynvml.nvmlClocksEventReasonSwPowerCap,
        "hardware-slowdown": pynvml.nvmlClocksEventReasonHwSlowdown,
        "sync-boost": pynvml.nvmlClocksEventReasonSyncBoost,
        "thermal-software": pynvml.nvmlClocksEventReasonSwThermalSlowdown,
        "thermal-hardware": pynvml.nvmlClocksEventReasonHwThermalSlowdown,
        "power-brake": pynvml.nvmlClocksEventReasonHwPowerBrakeSlowdown,
        "display-clocks": pynvml.nvmlClocksEventReasonDisplayClockSetting,
        "board-limit": pynvml.nvmlClocksThrottleReasonBoardLimit,
        "reliability": pynvml.nvmlClocksThrottleReasonReliability,
    }
    assert {name: bit for bit, name in gpu_questions._REASON_BITS.items()} == bits
    assert set(CLOCK_REASONS) == set(bits)
    assert set(bits) > THROTTLING


def test_the_fake_has_nothing_that_the_real_package_lacks() -> None:
    fakes = [name[1:] for name, _ in inspect.getmembers(FakeNvml) if name.startswith("_nvml")]
    assert [name for name in fakes if not hasattr(pynvml, name)] == []
    assert dataclasses.is_dataclass(FakeGpu)


def _sources() -> str:
    from machine import nvml

    return "".join(map(inspect.getsource, (gpus_module, gpu_questions, gpu_settings, nvml)))
