"""Made folders in the shape of /proc and /sys, for readers that take a root."""

from __future__ import annotations

from pathlib import Path

CPU = "sys/devices/system/cpu"


class KernelFiles:
    """Files under ``root``; what was not written isn't there."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def laptop(root: Path) -> KernelFiles:
    """As an Intel laptop with four threads on two cores comes from the shop."""
    kernel = KernelFiles(root)
    for number in range(4):
        kernel.write(f"{CPU}/cpu{number}/cpufreq/scaling_governor", "powersave\n")
        kernel.write(f"{CPU}/cpu{number}/cpufreq/scaling_driver", "intel_pstate\n")
        kernel.write(
            f"{CPU}/cpu{number}/cpufreq/energy_performance_preference", "balance_performance\n"
        )
    for name, text in {
        f"{CPU}/intel_pstate/no_turbo": "0",
        f"{CPU}/smt/active": "1",
        "sys/devices/system/node/node0/cpulist": "0-3",
        "sys/devices/system/node/possible": "0",
        "proc/sys/kernel/numa_balancing": "0",
        "proc/loadavg": "0.42 0.36 0.31 2/1234 5678",
        "proc/pressure/cpu": "some avg10=3.25 avg60=1.00 avg300=0.50 total=99\n",
        "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
        "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "proc/pressure/io": "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n",
        "proc/sys/kernel/randomize_va_space": "2",
        "sys/kernel/mm/transparent_hugepage/enabled": "always [madvise] never",
        "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
    }.items():
        kernel.write(name, f"{text}\n")
    return kernel


def virtual(root: Path) -> KernelFiles:
    """As a virtual machine shows itself: no frequencies, no pressure, one thread a core."""
    kernel = KernelFiles(root)
    kernel.write(f"{CPU}/cpu0/topology/thread_siblings_list", "0\n")
    kernel.write(f"{CPU}/cpu1/topology/thread_siblings_list", "1\n")
    kernel.write("proc/loadavg", "0.00 0.01 0.05 1/99 1\n")
    return kernel
