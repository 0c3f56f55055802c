"""What Linux tells of processors, memory, temperature and disks, in /proc and /sys.

Sources: the kernel's filesystems/proc.rst (stat, meminfo), admin-guide/iostats.rst (diskstats),
hwmon/sysfs-interface.rst and admin-guide/pm/cpufreq.rst. Every function raises OSError, ValueError
or LookupError for what isn't there or reads otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path("/")
_SECTOR_BYTES = 512
# What the sensors in or at a processor are called by their drivers.
_CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal")


class Ticks(NamedTuple):
    """Clock ticks of one processor since the machine started."""

    busy: float
    every: float


class Memory(NamedTuple):
    """Bytes of the machine, and those that a new program could have."""

    total: int
    available: int


class DiskBytes(NamedTuple):
    """What all disks have read and written since the machine started."""

    read: int
    written: int


def processor_ticks(root: Path = ROOT) -> List[Ticks]:
    """One entry a processor, in the order of their numbers. Waiting for a disk is idle."""
    found = []
    for line in (root / "proc/stat").read_text().splitlines():
        name, *numbers = line.split()
        if name.startswith("cpu") and name != "cpu":
            # user nice system idle iowait irq softirq steal; guests are counted in user already
            ticks = [float(number) for number in numbers[:8]]
            found.append(Ticks(sum(ticks) - sum(ticks[3:5]), sum(ticks)))
    return found


def memory(root: Path = ROOT) -> Memory:
    """The machine's memory, whatever the group of this process may have of it."""
    table = dict(line.split(":", 1) for line in (root / "proc/meminfo").read_text().splitlines())
    return Memory(_kibibytes(table["MemTotal"]), _kibibytes(table["MemAvailable"]))


def _kibibytes(text: str) -> int:
    return int(text.split()[0]) * 1024


def processor_facts(root: Path = ROOT) -> Dict[str, str]:
    """The first processor of /proc/cpuinfo; empty where there is none."""
    return next(_processors(root), {})


def _processors(root: Path) -> Iterator[Dict[str, str]]:
    try:
        text = (root / "proc/cpuinfo").read_text(errors="replace")
    except OSError:
        return
    for block in text.split("\n\n"):
        pairs = (line.partition(":") for line in block.splitlines())
        found = {key.strip(): value.strip() for key, colon, value in pairs if colon}
        if found:
            yield found


def frequency_hz(root: Path = ROOT) -> Optional[int]:
    """The mean over the processors, as the governor has set them; else as the processor says."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
    hertz = [int(file.read_text()) * 1e3 for file in files]
    if not hertz:
        told = [facts.get("cpu MHz", "") for facts in _processors(root)]
        hertz = [float(megahertz) * 1e6 for megahertz in told if megahertz]
    return round(sum(hertz) / len(hertz)) if hertz else None


def temperature_c(root: Path = ROOT) -> Optional[float]:
    """The hottest sensor of the processors."""
    found = []
    for file, name in _sensors(root / "sys/class"):
        try:
            if name.read_text().strip() in _CPU_SENSORS:
                found.append(int(file.read_text()) / 1e3)
        except (OSError, ValueError):  # a sensor that is asleep
            continue
    return max(found, default=None)


def _sensors(folder: Path) -> Iterator[Tuple[Path, Path]]:
    """Files of a temperature in thousandths of a degree, and of what is measured there."""
    for file in folder.glob("hwmon/hwmon*/temp*_input"):
        yield file, file.parent / "name"
    for file in folder.glob("thermal/thermal_zone*/temp"):
        yield file, file.parent / "type"


def disk_bytes(root: Path = ROOT) -> DiskBytes:
    """Over everything that is a whole disk."""
    disks = set(os.listdir(str(root / "sys/block")))
    lines = ((root / "proc/diskstats").read_text()).splitlines()
    rows = [row for row in map(str.split, lines) if len(row) > 9 and row[2] in disks]
    read, written = (sum(int(row[at]) for row in rows) for at in (5, 9))
    return DiskBytes(read * _SECTOR_BYTES, written * _SECTOR_BYTES)
