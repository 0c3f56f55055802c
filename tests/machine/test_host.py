"""Reading the host: literal values through a stand-in, and this machine as it is."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from machine.host import Host, HostReadings
from machine.rapl import PackageEnergy
from tests.fakes.clock import Clock


class FakePsutil:
    """The calls that the host's reader uses."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def cpu_count(self) -> int:
        return 2

    def cpu_times(self, percpu: bool) -> list[Any]:
        assert percpu
        busy = self.seconds
        return [
            SimpleNamespace(user=busy / 2, system=busy / 4, nice=busy / 4, idle=0.0, iowait=0.0),
            SimpleNamespace(user=0.0, system=0.0, nice=0.0, idle=busy * 3 / 4, iowait=busy / 4),
        ]

    def virtual_memory(self) -> Any:
        return SimpleNamespace(total=1000, available=400)

    def cpu_freq(self) -> Any:
        return SimpleNamespace(current=2300.5)

    def sensors_temperatures(self) -> dict[str, Any]:
        hot = [SimpleNamespace(current=61.0), SimpleNamespace(current=64.5)]
        return {"coretemp": hot, "nvme": [SimpleNamespace(current=90.0)]}

    def disk_io_counters(self) -> Any:
        return SimpleNamespace(read_bytes=int(self.seconds * 100), write_bytes=500)


def host(library: Any, clock: Clock, tmp_path: Path) -> Host:
    return Host(library, clock, PackageEnergy(tmp_path))


def second(reader: Host, library: FakePsutil, clock: Clock, later_s: float = 2.0) -> HostReadings:
    library.seconds += later_s
    clock.now_s += later_s
    return reader.read()


def test_readings_are_in_the_units_of_their_names(tmp_path: Path) -> None:
    library, clock = FakePsutil(), Clock(50.0)
    reader = host(library, clock, tmp_path)
    first = reader.read()
    assert (first.sample.cpu_percent, first.sample.memory_used_bytes) == (None, 600)
    assert first.reasons["host/cpu_percent"] == "counted from the second reading on"
    found = second(reader, library, clock)
    assert found.sample.core_percent == [100.0, 0.0]
    assert found.sample.cpu_percent == 50.0
    assert found.sample.cpu_frequency_hz == 2_300_500_000
    assert found.sample.cpu_temperature_c == 64.5
    assert found.sample.disk_read_bytes_per_s == 100
    assert found.sample.disk_write_bytes_per_s == 0
    assert set(found.reasons) == {"host/package_energy_j"}
    assert reader.describe() == (2, 1000)


def test_a_percentage_over_a_few_ticks_is_none(tmp_path: Path) -> None:
    library, clock = FakePsutil(), Clock()
    reader = host(library, clock, tmp_path)
    reader.read()
    soon = second(reader, library, clock, 0.01)
    assert soon.sample.cpu_percent is None
    assert soon.reasons["host/core_percent"] == "too soon after the reading before"
    assert second(reader, library, clock, 0.99).sample.core_percent == [100.0, 0.0]


def test_what_takes_long_is_read_every_two_seconds(tmp_path: Path) -> None:
    library, clock = FakePsutil(), Clock()
    reader = host(library, clock, tmp_path)
    asked: list[float] = []
    library.cpu_freq = lambda: asked.append(clock.now_s) or SimpleNamespace(current=1.0)  # type: ignore[func-returns-value, method-assign]
    for _ in range(21):
        assert second(reader, library, clock, 0.25).sample.cpu_frequency_hz == 1_000_000
    assert asked == [0.25, 2.25, 4.25]


@pytest.mark.parametrize("error", [OSError("gone"), AttributeError("no"), RuntimeError("x")])
def test_what_fails_is_missing_with_its_reason(tmp_path: Path, error: Exception) -> None:
    library, clock = FakePsutil(), Clock()

    def fail(*_: object, **__: object) -> Any:
        raise error

    for name in ("cpu_times", "virtual_memory", "cpu_freq", "sensors_temperatures",
                 "disk_io_counters"):  # fmt: skip
        setattr(library, name, fail)
    reader = host(library, clock, tmp_path)
    found = reader.read()
    assert all(getattr(found.sample, name) is None for name in found.sample.__struct_fields__)
    assert {key.removeprefix("host/") for key in found.reasons} == set(
        found.sample.__struct_fields__
    )
    assert found.reasons["host/cpu_percent"] == f"psutil: {error}"
    assert reader.describe() == (2, None)


def test_a_machine_that_does_not_tell(tmp_path: Path) -> None:
    library, clock = FakePsutil(), Clock()
    library.cpu_freq = lambda: None  # type: ignore[method-assign]
    library.sensors_temperatures = dict  # type: ignore[method-assign, assignment]
    found = host(library, clock, tmp_path).read()
    assert found.reasons["host/cpu_frequency_hz"] == "this machine doesn't tell it"
    assert found.reasons["host/cpu_temperature_c"] == "this machine doesn't tell it"


def test_psutil_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "psutil", None)
    reader = Host(energy=PackageEnergy(tmp_path))
    assert reader.read().reasons == {"host": "the package psutil is not installed"}
    assert reader.describe() == (None, None)


def test_this_machine_under_load_and_idle() -> None:
    reader = Host()
    reader.read()
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass
    found = reader.read().sample
    assert found.core_percent is not None and len(found.core_percent) == psutil.cpu_count()
    assert found.cpu_percent is not None and 1.0 <= found.cpu_percent <= 100.0
    used, total = found.memory_used_bytes, reader.describe()[1]
    assert used is not None and total is not None and 0 < used < total
    assert os.cpu_count() == reader.describe()[0]


def zone(root: Path, name: str, energy_uj: int, about: str = "package-0") -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "name").write_text(f"{about}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text("999999\n")
    return folder


def test_package_energy_adds_up_over_packages_and_when_a_counter_wraps(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", 900_000)
    second_ = zone(tmp_path, "intel-rapl:1", 5, "package-1")
    zone(tmp_path, "intel-rapl:0:0", 7, "core")
    zone(tmp_path, "intel-rapl:2", 7, "psys")
    energy = PackageEnergy(tmp_path)
    assert energy.read_j() == 0.0
    (first / "energy_uj").write_text("100000")
    (second_ / "energy_uj").write_text("300005")
    assert energy.read_j() == 0.5
    assert energy.read_j() == 0.5
    (first / "energy_uj").unlink()
    assert energy.read_j() is None
    assert energy.reason.startswith("the energy counter can't be read: ")
    assert energy.read_j() is None


def test_no_package_energy_has_its_reason(tmp_path: Path) -> None:
    missing = PackageEnergy(tmp_path / "nowhere")
    assert missing.read_j() is None
    assert missing.reason == "the processor has no energy counter that the kernel shows"


def test_package_energy_that_only_root_may_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone(tmp_path, "intel-rapl:0", 1)
    real = Path.read_text

    def guarded(path: Path, *options: Any, **named: Any) -> str:
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return real(path, *options, **named)

    monkeypatch.setattr(Path, "read_text", guarded)
    energy = PackageEnergy(tmp_path)
    assert energy.read_j() is None
    assert energy.reason == f"no permission to read {tmp_path} (root may)"
