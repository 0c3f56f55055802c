"""What decides how fast and how evenly a machine runs, as Linux tells it in /proc and /sys.

Sources: the kernel's admin-guide/pm/cpufreq.rst and intel_pstate.rst (governors, boost, energy
preference), ABI/testing/sysfs-devices-system-cpu (smt), accounting/psi.rst (pressure),
admin-guide/sysctl/kernel.rst (randomize_va_space, numa_balancing), admin-guide/mm/transhuge.rst.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from manifests.hardware import Conditions

ROOT = Path("/")
_CPU = "sys/devices/system/cpu"
_NO_SCALING = "the kernel shows no frequency scaling: the firmware or a hypervisor decides"
_NO_PRESSURE = "the kernel doesn't count pressure (CONFIG_PSI, psi=1)"
_NOT_TOLD = "this machine doesn't tell it"


def conditions(root: Path = ROOT) -> Conditions:
    """As they are now; what can't be read is None, with the reason."""
    found: Dict[str, Any] = {}
    reasons: Dict[str, str] = {}
    for name, read in _READERS.items():
        why = _REASONS.get(name, _NOT_TOLD)
        try:
            found[name] = read(root)
        except OSError:
            found[name] = None
        except (LookupError, ValueError) as error:
            found[name], why = None, f"the kernel's files read otherwise than expected: {error!r}"
        if found[name] is None:
            reasons[name] = why
    return Conditions(**found, reasons=reasons)


def _frequency_driver(root: Path) -> Optional[str]:
    return " ".join(_each(root, "scaling_driver")) or None


def _governors(root: Path) -> Optional[List[str]]:
    return _each(root, "scaling_governor") or None


def _energy_preferences(root: Path) -> Optional[List[str]]:
    return _each(root, "energy_performance_preference") or None


def _each(root: Path, name: str) -> List[str]:
    """What the processors have there, each word once."""
    files = (root / _CPU).glob(f"cpu[0-9]*/cpufreq/{name}")
    return sorted({text for text in map(_text, files) if text})


def _boost(root: Path) -> Optional[bool]:
    """Intel's driver says that it is off; the others say that it is on, one for all or each."""
    none = root / _CPU / "intel_pstate/no_turbo"
    if none.exists():
        return not _switch(_text(none))
    places = [root / _CPU / "cpufreq/boost", *(root / _CPU).glob("cpufreq/policy*/boost")]
    found = [_switch(_text(place)) for place in places if place.exists()]
    return any(found) if found else None


def _smt(root: Path) -> Optional[bool]:
    active = root / _CPU / "smt/active"
    if active.exists():
        return _switch(_text(active))
    siblings = [
        _text(file) for file in (root / _CPU).glob("cpu[0-9]*/topology/thread_siblings_list")
    ]
    return any(not text.isdigit() for text in siblings if text) if any(siblings) else None


def _numa_nodes(root: Path) -> Optional[int]:
    return len(list((root / "sys/devices/system/node").glob("node[0-9]*"))) or None


def _numa_balancing(root: Path) -> bool:
    return int(_text(root / "proc/sys/kernel/numa_balancing")) != 0


def _load_average(root: Path) -> List[float]:
    one, five, fifteen = _text(root / "proc/loadavg").split()[:3]
    return [float(one), float(five), float(fifteen)]


def _pressure(resource: str) -> Callable[[Path], float]:
    def read(root: Path) -> float:
        text = _text(root / "proc/pressure" / resource)
        found = re.search(r"^some .*?avg10=([0-9.]+)", text, re.MULTILINE)
        if found is None:
            raise ValueError(text)
        return float(found.group(1))

    return read


def _address_randomization(root: Path) -> int:
    return int(_text(root / "proc/sys/kernel/randomize_va_space"))


def _huge_pages(root: Path) -> str:
    """The choice in brackets."""
    text = _text(root / "sys/kernel/mm/transparent_hugepage/enabled")
    found = re.search(r"\[(\w+)\]", text)
    if found is None:
        raise ValueError(text)
    return found.group(1)


def _clock_source(root: Path) -> Optional[str]:
    return _text(root / "sys/devices/system/clocksource/clocksource0/current_clocksource") or None


_READERS: Dict[str, Callable[[Path], Any]] = {
    "frequency_driver": _frequency_driver,
    "governors": _governors,
    "energy_preferences": _energy_preferences,
    "boost": _boost,
    "smt": _smt,
    "numa_nodes": _numa_nodes,
    "numa_balancing": _numa_balancing,
    "load_average": _load_average,
    "cpu_pressure_percent": _pressure("cpu"),
    "memory_pressure_percent": _pressure("memory"),
    "io_pressure_percent": _pressure("io"),
    "address_randomization": _address_randomization,
    "huge_pages": _huge_pages,
    "clock_source": _clock_source,
}

_REASONS = {
    **dict.fromkeys(("frequency_driver", "governors", "boost"), _NO_SCALING),
    "energy_preferences": "the processor's driver has no energy preference",
    **dict.fromkeys(
        ("cpu_pressure_percent", "memory_pressure_percent", "io_pressure_percent"), _NO_PRESSURE
    ),
}


def _switch(text: str) -> bool:
    """0 or 1. Raises ValueError."""
    return bool(int(text))


def _text(path: Path) -> str:
    return path.read_text(errors="replace").strip()
