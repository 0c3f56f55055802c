"""What the machine draws while nobody works on it, apart from which a cell's energy is told."""

from __future__ import annotations

import time
from typing import Callable, Dict, NamedTuple, Optional, Tuple

from machine import quiet
from machine.gpus import GpuReader, NvmlGpus
from machine.rapl import DramEnergy, PackageEnergy
from machine.summary import DRAM, HOST
from manifests.hardware import IdlePower

IDLE_S = 3.0


class Counters(NamedTuple):
    """Where energy is read."""

    packages: PackageEnergy
    dram: DramEnergy
    gpus: GpuReader

    def joules(self) -> Dict[str, float]:
        """Each counter that there is, by its device; a GPU's by its UUID."""
        found = {HOST: self.packages.read_j(), DRAM: self.dram.read_j()}
        uuids = {index: gpu.uuid for index, gpu in self.gpus.describe().items()}
        for sample in self.gpus.read(None).samples:
            found[uuids.get(sample.index) or ""] = sample.energy_j
        return {device: joules for device, joules in found.items() if device and joules is not None}


def this_machine() -> Counters:
    """Its own counters."""
    return Counters(PackageEnergy(), DramEnergy(), NvmlGpus())


def idle_power(
    counters: Optional[Counters] = None,
    seconds: float = IDLE_S,
    watch: Optional[quiet.Looks] = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Optional[IdlePower]:
    """Over ``seconds``; None at once where no energy can be measured.

    Where others work meanwhile there is only the reason.
    """
    counters = counters or this_machine()
    try:
        before, begin = counters.joules(), clock()
        if not before:
            return None
        watch = watch or quiet.Watch()
        sleep(seconds)
        now, spent = counters.joules(), clock() - begin
        busy = watch.look()
    finally:
        counters.gpus.close()
    if busy is not None and not quiet.is_quiet(busy):
        return IdlePower(seconds=seconds, reason=f"not idle: {quiet.busy_words(busy)}")
    return IdlePower(seconds=round(spent, 3), power_w=_watts(before, now, spent))


def _watts(before: Dict[str, float], now: Dict[str, float], seconds: float) -> Dict[str, float]:
    """Of counters that were there both times and didn't begin anew."""
    pairs: Dict[str, Tuple[float, float]] = {
        device: (joules, now[device]) for device, joules in before.items() if device in now
    }
    return {
        device: float(f"{(last - first) / seconds:.4g}")
        for device, (first, last) in pairs.items()
        if last >= first and seconds > 0
    }
