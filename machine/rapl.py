"""The energy counters of processors and memory (RAPL), where the kernel lets us read them.

Source: the kernel's Documentation/power/powercap/powercap.rst. Since Linux 5.10 only root may
read them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

_ROOT = Path("/sys/class/powercap")


class _Energy:
    """One counter over all zones that are wanted; each zone's own counter may wrap around."""

    def __init__(self, root: Path, wanted: Callable[[Path], bool], nothing: str) -> None:
        self.reason = ""
        self._zones: list[_Zone] = []
        try:
            zones = sorted(path for path in root.iterdir() if wanted(path))
            self._zones = [_Zone(zone) for zone in zones]
        except PermissionError:
            self.reason = f"no permission to read {root} (root may)"
        except (OSError, ValueError):
            self._zones = []
        if not self._zones and not self.reason:
            self.reason = nothing

    def read_j(self) -> float | None:
        """Joules since this object was made; None with ``reason``."""
        if not self._zones:
            return None
        try:
            return round(sum(zone.read_uj() for zone in self._zones) / 1e6, 6)
        except (OSError, ValueError) as error:
            self.reason, self._zones = f"the energy counter can't be read: {error}", []
            return None


class PackageEnergy(_Energy):
    """Of all processor packages: cores, caches, and what else is on the chip."""

    def __init__(self, root: Path = _ROOT) -> None:
        nothing = "the processor has no energy counter that the kernel shows"
        super().__init__(root, _is_package, nothing)


class DramEnergy(_Energy):
    """Of the memory beside the packages, which isn't counted in theirs."""

    def __init__(self, root: Path = _ROOT) -> None:
        nothing = "the memory has no energy counter that the kernel shows"
        super().__init__(root, _is_dram, nothing)


def only_for_root(root: Path = _ROOT) -> list[str]:
    """The files of counters that are there and that this process may not read."""
    try:
        zones = sorted(path for path in root.iterdir() if _is_package(path) or _is_dram(path))
    except OSError:
        return []
    files = [zone / "energy_uj" for zone in zones]
    return [str(file) for file in files if file.exists() and not os.access(str(file), os.R_OK)]


class _Zone:
    """Raises OSError or ValueError for what is no readable counter."""

    def __init__(self, zone: Path) -> None:
        self._file = zone / "energy_uj"
        self._range_uj = int((zone / "max_energy_range_uj").read_text())
        self._last_uj = int(self._file.read_text())
        self._total_uj = 0

    def read_uj(self) -> int:
        now_uj = int(self._file.read_text())
        step = now_uj - self._last_uj
        self._total_uj += step if step >= 0 else step + self._range_uj + 1
        self._last_uj = now_uj
        return self._total_uj


def _is_package(zone: Path) -> bool:
    """intel-rapl:0 is a package, intel-rapl:0:0 a part of it; AMD's counters are called so too."""
    if not zone.name.startswith("intel-rapl:") or zone.name.count(":") != 1:
        return False
    try:
        return (zone / "name").read_text().startswith("package")
    except OSError:
        return False


def _is_dram(zone: Path) -> bool:
    """A part of a package's zone, by its name."""
    if not zone.name.startswith("intel-rapl:") or zone.name.count(":") != 2:
        return False
    try:
        return (zone / "name").read_text().strip() == "dram"
    except OSError:
        return False
