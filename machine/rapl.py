"""The energy counters of processor packages (RAPL), where the kernel lets us read them.

Source: the kernel's Documentation/power/powercap/powercap.rst. Since Linux 5.10 only root may
read them.
"""

from __future__ import annotations

from pathlib import Path

_ROOT = Path("/sys/class/powercap")


class PackageEnergy:
    """One counter over all packages; each package's own counter may wrap around."""

    def __init__(self, root: Path = _ROOT) -> None:
        self.reason = ""
        self._packages: list[_Package] = []
        try:
            zones = sorted(path for path in root.iterdir() if _is_package(path))
            self._packages = [_Package(zone) for zone in zones]
        except PermissionError:
            self.reason = f"no permission to read {root} (root may)"
        except (OSError, ValueError):
            self._packages = []
        if not self._packages and not self.reason:
            self.reason = "the processor has no energy counter that the kernel shows"

    def read_j(self) -> float | None:
        """Joules since this object was made; None with ``reason``."""
        if not self._packages:
            return None
        try:
            return round(sum(package.read_uj() for package in self._packages) / 1e6, 6)
        except (OSError, ValueError) as error:
            self.reason, self._packages = f"the energy counter can't be read: {error}", []
            return None


class _Package:
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
