"""The GPU's driver, played by a module that answers as nvidia-ml-py does."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Gpu
from runners import nvml
from tests.runners.samples import a_job


class NVMLError(Exception):
    """Named as pynvml's."""


class Card:
    """One H100 whose energy counter moves by 250 J between two readings."""

    def __init__(self) -> None:
        self.energy_mj = 1_000_000

    def energy(self, handle: object) -> int:
        self.energy_mj += 250_000
        return self.energy_mj


def fake(card: Card, **changes: Any) -> types.ModuleType:
    """The module ``pynvml``; a change replaces one of its functions."""
    module = types.ModuleType("pynvml")
    memory = types.SimpleNamespace(total=85_520_809_984, used=3_000_000_000)
    functions = {
        "NVMLError": NVMLError,
        "NVML_CLOCK_SM": 1,
        "NVML_TEMPERATURE_GPU": 0,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 1,
        "nvmlDeviceGetHandleByIndex": lambda index: ("index", index),
        "nvmlDeviceGetHandleByUUID": lambda uuid: ("uuid", uuid),
        "nvmlDeviceGetUUID": lambda handle: "GPU-ab",
        "nvmlDeviceGetName": lambda handle: b"NVIDIA H100 80GB HBM3",
        "nvmlSystemGetDriverVersion": lambda: "580.159.04",
        "nvmlSystemGetCudaDriverVersion": lambda: 13000,
        "nvmlDeviceGetCudaComputeCapability": lambda handle: (9, 0),
        "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 700_000,
        "nvmlDeviceGetMaxClockInfo": lambda handle, kind: 1980,
        "nvmlDeviceGetMemoryInfo": lambda handle: memory,
        "nvmlDeviceGetPowerUsage": lambda handle: 350_500,
        "nvmlDeviceGetClockInfo": lambda handle, kind: 1755,
        "nvmlDeviceGetTemperature": lambda handle, kind: 41,
        "nvmlDeviceGetUtilizationRates": _refused,
        "nvmlDeviceGetTotalEnergyConsumption": card.energy,
    }
    for name, value in {**functions, **changes}.items():
        setattr(module, name, value)
    return module


def _refused(*arguments: object) -> None:
    raise NVMLError("Not Supported")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = fake(Card())
    monkeypatch.setitem(sys.modules, "pynvml", module)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return module


def test_a_gpu_is_described(driver: types.ModuleType) -> None:
    assert nvml.described_gpus() == [
        Gpu(name="NVIDIA H100 80GB HBM3", memory_bytes=85_520_809_984, driver="580.159.04",
            cuda="13.0", compute_capability="9.0", power_limit_w=700.0,
            sm_clock_hz=1_980_000_000, index=0, uuid="GPU-ab")
    ]  # fmt: skip


def test_what_is_not_supported_is_none_and_never_zero(driver: types.ModuleType) -> None:
    device, reason = nvml.open_device(0)
    assert device is not None and reason == ""
    assert device.read() == {
        "memory_used_bytes": 3_000_000_000, "power_w": 350.5, "sm_clock_hz": 1_755_000_000,
        "temperature_c": 41, "utilization_percent": None,
    }  # fmt: skip


def test_a_phase_is_recorded_with_its_series(driver: types.ModuleType, tmp_path: Path) -> None:
    job = a_job(tmp_path)
    with nvml.watching(job, 0):
        pass
    found = {(metric.name, metric.label): metric for metric in job.metrics}
    assert found["energy_j", ""].samples == [250.0]
    assert found["peak_memory_bytes", "nvml"].samples == [3_000_000_000]


def test_a_phase_that_fails_is_recorded_too(driver: types.ModuleType, tmp_path: Path) -> None:
    job = a_job(tmp_path)
    with pytest.raises(MemoryError), nvml.watching(job, 0, series=False):
        raise MemoryError
    assert [metric.name for metric in job.metrics] == ["energy_j", "peak_memory_bytes"]


@pytest.mark.parametrize(
    ("visible", "handle"),
    [
        (None, ("index", 0)), ("3,1", ("index", 3)), ("GPU-ab", ("uuid", "GPU-ab")),
        ("MIG-cd,GPU-ab", ("uuid", "MIG-cd")),
    ],
)  # fmt: skip
def test_frameworks_count_the_visible_gpus_only(
    driver: types.ModuleType, monkeypatch: pytest.MonkeyPatch, visible: str | None, handle: object
) -> None:
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    device, _ = nvml.open_device(0)
    assert device is not None and device._handle == handle


@pytest.mark.parametrize("visible", ["", "-1", "void"])
def test_a_variable_that_hides_the_gpu_opens_no_other(
    driver: types.ModuleType, monkeypatch: pytest.MonkeyPatch, visible: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert nvml.open_device(0) == (
        None, f"NVML: CUDA_VISIBLE_DEVICES={visible!r} has no GPU 0"
    )  # fmt: skip


def test_memory_is_read_without_the_drivers_reserve_where_it_is_told_apart(
    driver: types.ModuleType,
) -> None:
    def newer(handle: object, version: int = 0) -> types.SimpleNamespace:
        return types.SimpleNamespace(total=9, used=2 if version else 3)

    driver.nvmlMemory_v2 = 33554472  # type: ignore[attr-defined]
    driver.nvmlDeviceGetMemoryInfo = newer  # type: ignore[attr-defined]
    device, _ = nvml.open_device(0)
    assert device is not None and device.read()["memory_used_bytes"] == 2


def test_a_machine_without_the_driver_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", fake(Card(), nvmlInit=lambda: _refused()))
    job = a_job(tmp_path)
    with nvml.watching(job, 0):
        pass
    assert [(m.name, m.samples, m.reason) for m in job.metrics] == [
        ("peak_memory_bytes", [None], "NVML: Not Supported"),
        ("energy_j", [None], "NVML: Not Supported"),
    ]
    assert nvml.described_gpus() == []


def test_without_the_package_the_reason_is_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert nvml.open_device(0) == (None, "nvidia-ml-py is not installed")
