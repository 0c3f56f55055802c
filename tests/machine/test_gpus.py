"""Reading GPUs: SI units, and a reason for whatever NVML doesn't tell."""

from __future__ import annotations

import pynvml
import pytest

from machine.gpu_settings import NO_LOCK_SHOWN
from machine.gpus import NvmlGpus
from machine.nvml import NO_LIBRARY, RETRY_S, Nvml
from manifests.hardware import GpuSettings
from manifests.manifest import Gpu
from manifests.telemetry_series import GpuProcess, GpuSample
from tests.fakes.clock import Clock
from tests.fakes.nvml import FakeGpu, FakeNvml


def reader(library: FakeNvml, clock: Clock | None = None) -> NvmlGpus:
    return NvmlGpus(Nvml(library, clock or Clock(1000.0)))


def test_readings_are_in_si_units() -> None:
    found = reader(FakeNvml(FakeGpu(reasons=0x44))).read(None)
    assert found.reasons == {}
    assert found.samples == [
        GpuSample(
            index=0,
            utilization_percent=50.0,
            memory_busy_percent=25.0,
            memory_used_bytes=3_221_225_472,
            power_w=125.0,
            instant_power_w=140.0,
            module_power_w=310.0,
            energy_j=1000.0,
            temperature_c=61.0,
            sm_clock_hz=1_500_000_000,
            memory_clock_hz=6_501_000_000,
            clock_reasons=["power-cap", "thermal-hardware"],
        )
    ]


SETTINGS = GpuSettings(
    persistence=True, ecc=True, ecc_after_restart=True, compute_mode="default",
    application_sm_clock_hz=1_500_000_000, application_memory_clock_hz=6_501_000_000,
    default_sm_clock_hz=1_500_000_000, default_memory_clock_hz=6_501_000_000,
    power_limit_default_w=160.0, reasons={"clocks_fixed": NO_LOCK_SHOWN},
)  # fmt: skip


def test_what_the_owner_of_a_gpu_set_is_read() -> None:
    changed = FakeGpu(
        persistence=0, ecc=(0, 1), compute_mode=pynvml.NVML_COMPUTEMODE_EXCLUSIVE_PROCESS,
        application_mhz=(1005, 6501), power_limit_mw=100_000,
    )  # fmt: skip
    card = reader(FakeNvml(changed)).describe()[0]
    assert card.power_limit_w == 100.0
    assert card.settings == GpuSettings(
        persistence=False, ecc=False, ecc_after_restart=True, compute_mode="exclusive-process",
        application_sm_clock_hz=1_005_000_000, application_memory_clock_hz=6_501_000_000,
        default_sm_clock_hz=1_500_000_000, default_memory_clock_hz=6_501_000_000,
        clocks_fixed=True, power_limit_default_w=160.0,
    )  # fmt: skip


def test_clocks_that_somebody_set_show_in_the_drivers_reasons_too() -> None:
    settings = reader(FakeNvml(FakeGpu(reasons=0x2))).describe()[0].settings
    assert settings is not None and settings.clocks_fixed is True


def test_what_a_driver_does_not_tell_of_the_settings_is_missing_with_its_reason() -> None:
    library = FakeNvml(FakeGpu())
    library.faults["nvmlDeviceGetEccMode"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    library.faults["nvmlDeviceGetApplicationsClock"] = pynvml.NVML_ERROR_NO_PERMISSION
    library.missing.add("nvmlDeviceGetPowerManagementDefaultLimit")
    settings = reader(library).describe()[0].settings
    assert settings is not None
    assert (settings.ecc, settings.ecc_after_restart) == (None, None)
    assert settings.reasons["ecc"] == "NVML: Not Supported"
    assert settings.reasons["application_sm_clock_hz"] == "NVML: Insufficient Permissions"
    assert settings.reasons["power_limit_default_w"] == (
        "nvidia-ml-py is too old: nvmlDeviceGetPowerManagementDefaultLimit"
    )
    missing = {name for name in GpuSettings.__struct_fields__ if getattr(settings, name) is None}
    assert set(settings.reasons) == missing


def test_a_compute_mode_of_a_later_driver_has_its_number() -> None:
    settings = reader(FakeNvml(FakeGpu(compute_mode=9))).describe()[0].settings
    assert settings is not None and settings.compute_mode == "9"


def test_a_card_that_is_no_module_has_a_reason_for_the_modules_power() -> None:
    gpus = reader(FakeNvml(FakeGpu(module_mw=None)))
    for _ in range(2):
        found = gpus.read(None)
    assert (found.samples[0].instant_power_w, found.samples[0].module_power_w) == (140.0, None)
    assert found.reasons == {"gpus/0/module_power_w": "NVML: Not Supported"}


def test_a_gpu_is_described() -> None:
    assert reader(FakeNvml(FakeGpu(), FakeGpu(name="Second", mig=1))).describe() == {
        0: Gpu(
            name="Fake RTX 4000", memory_bytes=8 * 2**30, driver="570.86.10", cuda="12.8",
            compute_capability="7.5", power_limit_w=160.0, sm_clock_hz=2_100_000_000,
            memory_clock_hz=6_501_000_000, index=0, mig=False, uuid="GPU-00000000",
            settings=SETTINGS,
        ),
        1: Gpu(
            name="Second", memory_bytes=8 * 2**30, driver="570.86.10", cuda="12.8",
            compute_capability="7.5", power_limit_w=160.0, sm_clock_hz=2_100_000_000,
            memory_clock_hz=6_501_000_000, index=1, mig=True, uuid="GPU-00000001",
            settings=SETTINGS,
        ),
    }  # fmt: skip


def test_what_is_not_supported_is_asked_once_and_missing_with_its_reason() -> None:
    library = FakeNvml(FakeGpu())
    library.faults["nvmlDeviceGetTotalEnergyConsumption"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    gpus = reader(library)
    for _ in range(3):
        found = gpus.read(None)
    assert found.samples[0].energy_j is None
    assert found.samples[0].power_w == 125.0
    assert found.reasons == {"gpus/0/energy_j": "NVML: Not Supported"}
    assert library.calls.count("nvmlDeviceGetTotalEnergyConsumption") == 1


def test_one_call_that_fails_takes_both_its_readings_along() -> None:
    library = FakeNvml(FakeGpu(mig=1))
    library.faults["nvmlDeviceGetUtilizationRates"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    found = reader(library).read(None)
    why = "NVML: Not Supported (the GPU is divided by MIG)"
    assert found.reasons == {
        "gpus/0/utilization_percent": why,
        "gpus/0/memory_busy_percent": why,
    }


def test_a_passing_error_is_asked_again() -> None:
    library = FakeNvml(FakeGpu())
    library.faults["nvmlDeviceGetPowerUsage"] = pynvml.NVML_ERROR_TIMEOUT
    gpus = reader(library)
    assert gpus.read(None).reasons == {"gpus/0/power_w": "NVML: Timeout"}
    library.faults.clear()
    found = gpus.read(None)
    assert (found.samples[0].power_w, found.reasons) == (125.0, {})


@pytest.mark.parametrize(
    ("newer", "older", "field", "value"),
    [
        ("nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature", "temperature_c", 61.0),
        ("nvmlDeviceGetCurrentClocksEventReasons", "nvmlDeviceGetCurrentClocksThrottleReasons",
         "clock_reasons", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("lacks", ["driver", "package"])
def test_an_older_driver_or_package_is_asked_the_older_way(
    newer: str, older: str, field: str, value: object, lacks: str
) -> None:
    library = FakeNvml(FakeGpu())
    if lacks == "driver":
        library.faults[newer] = pynvml.NVML_ERROR_FUNCTION_NOT_FOUND
    else:
        library.missing.add(newer)
    gpus = reader(library)
    for _ in range(3):
        found = gpus.read(None)
    assert getattr(found.samples[0], field) == value
    assert found.reasons == {}
    assert library.calls.count(newer) == (1 if lacks == "driver" else 0)
    assert library.calls.count(older) == 3


def test_one_lost_gpu_leaves_the_other_and_is_not_asked_again() -> None:
    library = FakeNvml(FakeGpu(), FakeGpu(power_mw=99_000))
    gpus = reader(library)
    assert [sample.power_w for sample in gpus.read(None).samples] == [125.0, 99.0]
    library.faults["*", 0] = pynvml.NVML_ERROR_GPU_IS_LOST
    found = gpus.read(None)
    assert found.samples[0] == GpuSample(index=0)
    assert found.samples[1].power_w == 99.0
    assert found.reasons == {"gpus/0": "NVML: GPU is lost"}
    before = len(library.calls)
    assert gpus.read(lambda pid: None).reasons == {"gpus/0": "NVML: GPU is lost"}
    assert len(library.calls) - before == 11  # all of them to the other one


def test_a_gpu_that_is_lost_from_the_beginning_is_described_as_far_as_possible() -> None:
    library = FakeNvml(FakeGpu(), FakeGpu())
    library.faults["*"] = pynvml.NVML_ERROR_GPU_IS_LOST
    assert reader(library).describe()[1] == Gpu(
        name="unknown", driver="570.86.10", cuda="12.8", index=1
    )


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (pynvml.NVML_ERROR_UNINITIALIZED, "NVML: Uninitialized"),
        (pynvml.NVML_ERROR_DRIVER_NOT_LOADED, "NVML: Driver Not Loaded"),
        (
            pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH,
            "NVML: RM has detected an NVML/RM version mismatch. The driver was updated while "
            "the old one is loaded: restart the machine",
        ),
    ],
)
def test_a_driver_that_vanishes_takes_every_reading_along_and_may_come_back(
    code: int, reason: str
) -> None:
    clock = Clock(1000.0)
    library = FakeNvml(FakeGpu(), FakeGpu())
    gpus = reader(library, clock)
    gpus.read(None)
    library.faults["nvmlDeviceGetPowerUsage"] = library.faults["nvmlInit"] = code
    found = gpus.read(None)
    assert found.samples == [GpuSample(index=0), GpuSample(index=1)]
    assert found.reasons == {"gpus": reason}
    before = len(library.calls)
    clock.now_s += RETRY_S - 1
    assert gpus.read(None).reasons == {"gpus": reason}
    assert len(library.calls) == before
    library.faults.clear()
    clock.now_s += 2
    found = gpus.read(None)
    assert (len(found.samples), found.samples[1].power_w, found.reasons) == (2, 125.0, {})


def test_no_driver_is_a_reason_and_is_not_looked_for_again() -> None:
    library = FakeNvml()
    library.faults["nvmlInit"] = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND
    clock = Clock(1000.0)
    gpus = reader(library, clock)
    assert gpus.describe() == {}
    clock.now_s += 10 * RETRY_S
    assert gpus.read(None) == ([], {"gpus": NO_LIBRARY})
    assert library.calls == ["nvmlInit"]


def test_the_package_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pynvml", None)
    found = NvmlGpus(Nvml()).read(None)
    assert found == ([], {"gpus": "the package nvidia-ml-py is not installed"})


def test_processes_are_listed_only_when_asked_and_told_apart() -> None:
    library = FakeNvml(FakeGpu(processes=[(41, 2**30), (42, None)]))
    gpus = reader(library)
    assert gpus.read(None).samples[0].processes is None
    assert gpus.read(lambda pid: pid == 41).samples[0].processes == [
        GpuProcess(pid=41, memory_bytes=2**30, own=True),
        GpuProcess(pid=42, memory_bytes=None, own=False),
    ]
    assert gpus.read(lambda pid: None).samples[0].processes == [
        GpuProcess(pid=41, memory_bytes=2**30),
        GpuProcess(pid=42),
    ]


def test_processes_may_be_a_secret() -> None:
    library = FakeNvml(FakeGpu())
    library.faults["nvmlDeviceGetComputeRunningProcesses"] = pynvml.NVML_ERROR_NO_PERMISSION
    found = reader(library).read(lambda pid: None)
    assert found.samples[0].processes is None
    assert found.reasons == {"gpus/0/processes": "NVML: Insufficient Permissions"}


def test_it_can_be_opened_again_after_it_was_closed() -> None:
    library = FakeNvml(FakeGpu())
    gpus = reader(library)
    gpus.read(None)
    gpus.close()
    assert not library.open
    assert gpus.read(None).samples[0].power_w == 125.0
