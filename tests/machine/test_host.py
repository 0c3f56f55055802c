"""Reading the host: literal values through a stand-in, and this machine as it is."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest

from machine import processors
from machine.host import Host, HostReadings
from machine.rapl import DramEnergy, PackageEnergy
from tests.fakes.clock import Clock


class Kernel:
    """The files of /proc and /sys that the host's reader reads, of a machine with two cores."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seconds = 0.0
        self.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "2300000\n")
        self.write("sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "2301000\n")
        for at, (name, *degrees) in enumerate([("coretemp", 61000, 64500), ("nvme", 90000)]):
            self.write(f"sys/class/hwmon/hwmon{at}/name", f"{name}\n")
            for number, value in enumerate(degrees):
                self.write(f"sys/class/hwmon/hwmon{at}/temp{number}_input", f"{value}\n")
        self.write("proc/meminfo", "MemTotal:  1000 kB\nMemFree: 1 kB\nMemAvailable:  400 kB\n")
        self.write("sys/block/sda/size", "1")
        self.pass_time(0.0)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pass_time(self, seconds: float) -> None:
        """The first core works, the second is idle or waits for the disk."""
        self.seconds += seconds
        ticks = round(self.seconds * 100)
        user, waited = ticks // 2, ticks // 4
        self.write("proc/stat", f"cpu  1 2 3 4\ncpu0 {user} 0 {ticks - user} 0 0 0 0 0 9 9\n"
                   f"cpu1 0 0 0 {ticks - waited} {waited} 0 0 0 0 0\nintr 5\n")  # fmt: skip
        sectors = round(self.seconds * 100)
        self.write("proc/diskstats", f"8 0 sda 1 0 {sectors} 0 1 0 500 0 0 0 0\n"
                   f"8 1 sda1 1 0 {sectors} 0 1 0 500 0 0 0 0\n")  # fmt: skip


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def host(kernel: Kernel, clock: Clock) -> Host:
    nowhere = kernel.root / "none"
    return Host(kernel.root, clock, PackageEnergy(nowhere), DramEnergy(nowhere))


def second(reader: Host, kernel: Kernel, clock: Clock, later_s: float = 2.0) -> HostReadings:
    kernel.pass_time(later_s)
    clock.now_s += later_s
    return reader.read()


def test_readings_are_in_the_units_of_their_names(kernel: Kernel) -> None:
    clock = Clock(50.0)
    reader = host(kernel, clock)
    first = reader.read()
    assert (first.sample.cpu_percent, first.sample.memory_used_bytes) == (None, 600 * 1024)
    assert first.reasons["host/cpu_percent"] == "counted from the second reading on"
    found = second(reader, kernel, clock)
    assert found.sample.core_percent == [100.0, 0.0]
    assert found.sample.cpu_percent == 50.0
    assert found.sample.cpu_frequency_hz == 2_300_500_000
    assert found.sample.cpu_temperature_c == 64.5
    assert found.sample.disk_read_bytes_per_s == 100 * 512  # without the partition
    assert found.sample.disk_write_bytes_per_s == 0
    assert set(found.reasons) == {"host/package_energy_j", "host/dram_energy_j"}
    assert reader.describe() == (2, 1000 * 1024)


def test_a_percentage_over_a_few_ticks_is_none(kernel: Kernel) -> None:
    clock = Clock()
    reader = host(kernel, clock)
    reader.read()
    soon = second(reader, kernel, clock, 0.01)
    assert soon.sample.cpu_percent is None
    assert soon.reasons["host/core_percent"] == "too soon after the reading before"
    assert second(reader, kernel, clock, 0.99).sample.core_percent == [100.0, 0.0]


def test_what_takes_long_is_read_every_two_seconds(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    reader = host(kernel, clock)
    asked: list[float] = []

    def frequency(root: Path) -> int:
        asked.append(clock.now_s)
        return 1_000_000

    monkeypatch.setattr(processors, "frequency_hz", frequency)
    for _ in range(21):
        assert second(reader, kernel, clock, 0.25).sample.cpu_frequency_hz == 1_000_000
    assert asked == [0.25, 2.25, 4.25]


def test_a_system_without_these_files_has_its_reasons(tmp_path: Path) -> None:
    nowhere = tmp_path / "none"
    reader = Host(tmp_path, Clock(), PackageEnergy(nowhere), DramEnergy(nowhere))
    found = reader.read()
    assert all(getattr(found.sample, name) is None for name in found.sample.__struct_fields__)
    assert {key.removeprefix("host/") for key in found.reasons} == set(
        found.sample.__struct_fields__
    )
    assert found.reasons["host/cpu_percent"] == f"{tmp_path}/proc/stat: No such file or directory"
    assert found.reasons["host/cpu_frequency_hz"] == "this machine doesn't tell it"
    assert found.reasons["host/cpu_temperature_c"] == "this machine doesn't tell it"
    assert reader.describe() == (None, None)


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ("proc/stat", "cpu_percent"), ("proc/meminfo", "memory_used_bytes"),
        ("proc/diskstats", "disk_read_bytes_per_s"),
        ("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "cpu_frequency_hz"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("text", ["cpu0 x y z\n8 0 sda a b c d e f g h\nMemTotal: lots", "\0\n"])
def test_a_file_that_reads_otherwise_is_a_reason(
    kernel: Kernel, file: str, field: str, text: str
) -> None:
    clock = Clock(5.0)
    reader = host(kernel, clock)
    reader.read()
    kernel.pass_time(2.0)
    kernel.write(file, text)
    clock.now_s += 2.0
    found = reader.read()
    assert getattr(found.sample, field) in (None, 0)
    assert found.sample.cpu_temperature_c == 64.5


def test_a_sensor_that_is_asleep_hides_no_other(kernel: Kernel) -> None:
    kernel.write("sys/class/hwmon/hwmon0/temp0_input", "")
    assert processors.temperature_c(kernel.root) == 64.5


def test_a_board_without_monitoring_chips_has_zones(tmp_path: Path) -> None:
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "type").write_text("cpu-thermal\n")
    (zone / "temp").write_text("48312\n")
    assert processors.temperature_c(tmp_path) == 48.312


def test_without_a_governor_the_processor_tells_its_clock(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    told = "processor : 0\ncpu MHz : 2000.000\n\nprocessor : 1\ncpu MHz : 3000.000\n\n"
    (tmp_path / "proc/cpuinfo").write_text(told)
    assert processors.frequency_hz(tmp_path) == 2_500_000_000


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
    assert used is not None and total == psutil.virtual_memory().total and 0 < used < total
    assert psutil.cpu_count() == reader.describe()[0]


def test_this_machines_counters_are_those_that_others_read() -> None:
    ours, theirs = processors.processor_ticks(), psutil.cpu_times(percpu=True)
    for one, other in zip(ours, theirs, strict=True):
        assert one.every / 100 == pytest.approx(sum(other[:8]), rel=0.01)
        assert (one.every - one.busy) / 100 == pytest.approx(other.idle + other.iowait, rel=0.01)
