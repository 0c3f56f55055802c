"""Summing a series up by phase, sample by sample, so that its length costs no memory."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from manifests.telemetry_series import BEFORE, THROTTLING, GpuSample, Sample
from manifests.telemetry_summary import Energy, PhaseTelemetry, Reading

LAG_S = 2.0
"""A phase's beginning may become known so much later than it was."""

LONGEST_GAP_S = 2.0
"""Power is not integrated over a longer time without a sample."""

_GPU = (
    "utilization_percent", "memory_busy_percent", "memory_used_bytes", "power_w",
    "temperature_c", "sm_clock_hz", "memory_clock_hz", "instant_power_w", "module_power_w",
)  # fmt: skip
_HOST = ("cpu_percent", "memory_used_bytes", "cpu_frequency_hz", "cpu_temperature_c")
_CELL = ("cpu_percent", "memory_bytes", "processes")
HOST, DRAM = "host", "host/dram"


def module(index: int) -> str:
    """The device that is the module in which a GPU is built, processor included."""
    return f"gpus/{index}/module"


class _Meter(NamedTuple):
    """What a device says of its energy at one moment: a counter, a power."""

    counter_j: float | None
    power_w: float | None


class _Statistic:
    """Mean and maximum of what was read."""

    __slots__ = ("count", "most", "total")

    def __init__(self) -> None:
        self.count, self.total, self.most = 0, 0.0, float("-inf")

    def add(self, value: float) -> None:
        self.count += 1
        self.total += value
        self.most = max(self.most, value)

    def reading(self) -> Reading:
        return Reading(mean=_six_digits(self.total / self.count), max=float(self.most))


class _EnergyAccount:
    """Both ways of counting side by side; the counter is taken where it never failed."""

    __slots__ = ("counter_j", "counter_lacks", "power_j", "power_lacks")

    def __init__(self) -> None:
        self.counter_j = self.power_j = 0.0
        self.counter_lacks = self.power_lacks = ""

    def add(self, first: _Meter, last: _Meter, begin: float, end: float, seconds: float) -> None:
        """The part from ``begin`` to ``end`` (0 ... 1) of an interval of ``seconds``."""
        if first.counter_j is None or last.counter_j is None:
            self.counter_lacks = "its counter could not be read all the time"
        elif last.counter_j < first.counter_j:
            self.counter_lacks = "its counter went back"
        else:
            self.counter_j += (last.counter_j - first.counter_j) * (end - begin)
        if first.power_w is None or last.power_w is None:
            self.power_lacks = "its power could not be read all the time"
        elif seconds > LONGEST_GAP_S:
            self.power_lacks = f"no sample for {seconds:.1f} s"
        else:
            middle = first.power_w + (last.power_w - first.power_w) * (begin + end) / 2
            self.power_j += middle * (end - begin) * seconds

    def energy(self) -> Energy:
        if not self.counter_lacks:
            return Energy(
                energy_j=_six_digits(self.counter_j),
                method="counter-difference",
                integral_j=None if self.power_lacks else _six_digits(self.power_j),
            )
        if not self.power_lacks:
            return Energy(energy_j=_six_digits(self.power_j), method="integrated-power")
        reason = f"{self.counter_lacks}; {self.power_lacks}"
        return Energy(energy_j=None, method="none", reason=reason)


class PhaseSums:
    """What is known of all the time of one phase's name."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.samples = 0
        self.statistics: dict[str, _Statistic] = {}
        self.energy: dict[str, _EnergyAccount] = {}
        self.throttled: dict[int, dict[str, int]] = {}
        self.clock_samples: dict[int, int] = {}
        self.foreign: dict[int, set[int]] = {}
        self.stopped = 0

    def add(self, sample: Sample) -> None:
        """A sample that was taken in this phase."""
        self.samples += 1
        self._add("host", sample.host, _HOST)
        for cell in sample.cells.values():
            self._add("cell", cell, _CELL)
            self.stopped += cell.stopped
        for gpu in sample.gpus:
            self._add(f"gpus/{gpu.index}", gpu, _GPU)
            self._add_clock_reasons(gpu)
            self.foreign.setdefault(gpu.index, set()).update(_strangers(gpu))

    def throttle_share(self, index: int) -> float | None:
        """Share of the samples in which that GPU's clocks were held down, 0 ... 1."""
        count = self.clock_samples.get(index, 0)
        if not count:
            return None
        return round(self.throttled.get(index, {}).get("", 0) / count, 4)

    def summary(self, name: str) -> PhaseTelemetry:
        return PhaseTelemetry(
            name=name,
            seconds=round(self.seconds, 3),
            samples=self.samples,
            readings={key: item.reading() for key, item in self.statistics.items()},
            energy={device: account.energy() for device, account in self.energy.items()},
            throttle_share={f"gpus/{i}": self.throttle_share(i) for i in self.foreign},
        )

    def _add(self, prefix: str, source: object, fields: tuple[str, ...]) -> None:
        for field in fields:
            value = getattr(source, field)
            if value is not None:
                key = f"{prefix}/{field}"
                if key not in self.statistics:
                    self.statistics[key] = _Statistic()
                self.statistics[key].add(value)

    def _add_clock_reasons(self, gpu: GpuSample) -> None:
        if gpu.clock_reasons is None:
            return
        self.clock_samples[gpu.index] = self.clock_samples.get(gpu.index, 0) + 1
        found = THROTTLING.intersection(gpu.clock_reasons)
        if found:
            counts = self.throttled.setdefault(gpu.index, {})
            for name in ("", *found):  # "" counts the samples, whatever their reasons
                counts[name] = counts.get(name, 0) + 1


def _strangers(gpu: GpuSample) -> set[int]:
    """Others' processes, where our own are listed too: else the numbers may be another space's."""
    processes = gpu.processes or []
    if not any(process.own for process in processes):
        return set()
    return {process.pid for process in processes if process.own is False}


class Summary:
    """Takes samples and phases as they come; phases may come up to ``LAG_S`` late."""

    def __init__(self) -> None:
        self.phases: dict[str, PhaseSums] = {}
        self.samples = 0
        self._waiting: deque[Sample] = deque()
        self._last: Sample | None = None
        self._marks: deque[tuple[float, str]] = deque()
        self._now = BEFORE

    def phase(self, time_s: float, name: str) -> None:
        """A phase began at that time."""
        self._marks.append((time_s, name))

    def add(self, sample: Sample) -> None:
        self._waiting.append(sample)
        while self._waiting[0].time_s <= sample.time_s - LAG_S:
            self._settle(self._waiting.popleft())

    def finish(self) -> list[PhaseTelemetry]:
        """Everything there is, in the order in which the phases began."""
        while self._waiting:
            self._settle(self._waiting.popleft())
        return [sums.summary(name) for name, sums in self.phases.items()]

    def _settle(self, sample: Sample) -> None:
        last, self._last = self._last, sample
        self.samples += 1
        begin = last.time_s if last is not None else sample.time_s
        while self._marks and self._marks[0][0] <= sample.time_s:
            time_s, name = self._marks.popleft()
            if last is not None and time_s > begin:
                self._between(last, sample, begin, time_s)
                begin = time_s
            self._now = name
            self._sums()  # one that took no time is listed as well
        if last is not None:
            self._between(last, sample, begin, sample.time_s)
        self._sums().add(sample)

    def _sums(self) -> PhaseSums:
        return self.phases.setdefault(self._now, PhaseSums())

    def _between(self, first: Sample, last: Sample, begin_s: float, end_s: float) -> None:
        """The time from ``begin_s`` to ``end_s``, which lies between two samples."""
        whole = last.time_s - first.time_s
        if end_s <= begin_s or whole <= 0:
            return
        sums = self._sums()
        sums.seconds += end_s - begin_s
        before, after = _meters(first), _meters(last)
        part = ((begin_s - first.time_s) / whole, (end_s - first.time_s) / whole)
        for device in sorted(before.keys() | after.keys()):
            account = sums.energy.setdefault(device, _EnergyAccount())
            account.add(before.get(device, _NOTHING), after.get(device, _NOTHING), *part, whole)


_NOTHING = _Meter(None, None)


def _meters(sample: Sample) -> dict[str, _Meter]:
    """The devices that have any; a host or a module that tells none is left out."""
    found = {f"gpus/{gpu.index}": _Meter(gpu.energy_j, gpu.power_w) for gpu in sample.gpus}
    for gpu in sample.gpus:
        if gpu.module_power_w is not None:
            found[module(gpu.index)] = _Meter(None, gpu.module_power_w)
    for device, counter_j in (
        (HOST, sample.host.package_energy_j),
        (DRAM, sample.host.dram_energy_j),
    ):
        if counter_j is not None:
            found[device] = _Meter(counter_j, None)
    return found


def _six_digits(value: float) -> float:
    return float(f"{value:.6g}")
