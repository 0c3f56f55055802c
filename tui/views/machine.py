"""What the machine went through of late, as lines for a panel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from rich.text import Text

from manifests.telemetry_series import THROTTLING, GpuProcess, GpuSample, Opening, Sample
from services.phrases import size
from tui.charts import sparkline
from tui.text import safe

KEPT_SAMPLES = 600
_GB = 2.0**30
_LABEL = 7


class Trace:
    """The last samples, from any thread."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        self._begun: dict[str, Sample] = {}
        self.opening: Opening | None = None

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)
        self._begun = {cell: self._begun.get(cell, sample) for cell in sample.cells}

    def clear(self) -> None:
        self._samples.clear()
        self._begun = {}

    @property
    def samples(self) -> list[Sample]:
        """Of the last two minutes, the oldest first."""
        return list(self._samples)

    @property
    def latest(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    def lines(
        self, width: int, cell: str, nothing: str, colour: str = "", more: bool = False
    ) -> list[Text]:
        """The host, the cell, then a line a GPU; why a reading is missing stands in its place.

        Energy is that since the cell began, else since the oldest sample that is kept. ``more``
        adds each processor and the disk, and of each GPU clocks, energy and processes.
        """
        latest = self.latest
        if latest is None:
            return [Text(nothing, style="dim")]
        curve = max(8, min(40, width - 52))
        seen = list(self._samples)[-curve:]
        lines = [self._cpu(latest, seen, curve), self._memory(latest, seen, curve)]
        first = self._begun.get(cell, self._samples[0])
        if cell in latest.cells:
            lines.append(_cell(latest, seen, cell, curve))
            lines[-1].append(_so_far(latest, first))
        lines += [self._gpu(latest, gpu, seen, curve) for gpu in latest.gpus]
        for line in lines:
            line.stylize(colour, _LABEL, _LABEL + curve)
        if more:
            lines[1:1] = _host_more(latest)
            for gpu in latest.gpus:
                lines += _gpu_more(gpu, first.gpu(gpu.index))
        if not latest.gpus:
            why = latest.reasons.get("gpus", "none was found")
            lines.append(Text(f"GPU    {safe(why)}", style="dim"))
        return lines

    def _cpu(self, latest: Sample, seen: list[Sample], width: int) -> Text:
        host = latest.host
        curve = _curve(seen, lambda s: s.host.cpu_percent, width, 100.0)
        facts = [
            _number(host.cpu_percent, "%"),
            _number(_scaled(host.cpu_frequency_hz, 1e9), "GHz", 2),
            _number(host.cpu_temperature_c, "°C"),
        ]
        return _line("CPU", curve, facts)

    def _memory(self, latest: Sample, seen: list[Sample], width: int) -> Text:
        whole = self.opening.memory_bytes if self.opening else None
        used = latest.host.memory_used_bytes
        curve = _curve(seen, lambda s: s.host.memory_used_bytes, width, whole)
        return _line("memory", curve, [_of(used, whole)])

    def _gpu(self, latest: Sample, gpu: GpuSample, seen: list[Sample], width: int) -> Text:
        known = self.opening.gpus.get(gpu.index) if self.opening else None

        def utilization(sample: Sample) -> float | None:
            found = sample.gpu(gpu.index)
            return found.utilization_percent if found else None

        facts = [
            _number(gpu.utilization_percent, "%"),
            _of(gpu.memory_used_bytes, known.memory_bytes if known else None),
            _number(gpu.power_w, "W"),
            _number(gpu.temperature_c, "°C"),
        ]
        slowed = sorted(THROTTLING.intersection(gpu.clock_reasons or ()))
        line = _line(f"GPU {gpu.index}", _curve(seen, utilization, width, 100.0), facts)
        if slowed:
            line.append(f"  slowed: {', '.join(slowed)}", style="bold")
        prefix = f"gpus/{gpu.index}/"
        reasons = {why for key, why in latest.reasons.items() if key.startswith(prefix)}
        if gpu.utilization_percent is None and reasons:
            line.append(f"  {safe(sorted(reasons)[0], 60)}", style="dim")
        return line


def _host_more(latest: Sample) -> list[Text]:
    """A column for each processor; the disk."""
    host = latest.host
    cores = host.core_percent or []
    facts = [
        _rate("read", host.disk_read_bytes_per_s),
        _rate("write", host.disk_write_bytes_per_s),
    ]
    told = "  ".join(fact for fact in facts if fact)
    each = sparkline(list(cores), len(cores), 0.0, 100.0) if cores else ""
    if not (each or told):
        return []
    return [Text(f"{'each':<{_LABEL}}", "dim", no_wrap=True).append(f"{each}  {told}", "not dim")]


def _so_far(latest: Sample, first: Sample) -> str:
    """What the processors' packages have taken since the cell began."""
    told = _joules("", latest.host.package_energy_j, first.host.package_energy_j)
    return f"  {told}" if told else ""


def _gpu_more(gpu: GpuSample, first: GpuSample | None) -> list[Text]:
    """Clocks and energy; then its processes, where they are told."""
    facts = [
        _number(_scaled(gpu.sm_clock_hz, 1e6), "MHz"),
        _number(_scaled(gpu.memory_clock_hz, 1e6), "MHz memory"),
        _joules("", gpu.energy_j, first.energy_j if first else None),
        "" if gpu.processes is None else f"processes: {len(gpu.processes)}",
    ]
    told = ["  ".join(fact for fact in facts if fact)]
    told += ["  ".join(map(_process, gpu.processes))] if gpu.processes else []
    return [Text(f"{' ' * _LABEL}{line}", "dim", no_wrap=True) for line in told]


def _process(one: GpuProcess) -> str:
    """``4242 3.0 GiB this run's``."""
    whose = {True: "this run's", False: "another's", None: ""}[one.own]
    memory = size(one.memory_bytes) if one.memory_bytes is not None else ""
    return " ".join(part for part in (str(one.pid), memory, whose) if part)


def _joules(what: str, now: float | None, then: float | None) -> str:
    if now is None or then is None or now < then:
        return ""
    return f"{what} {now - then:,.0f} J so far".strip()


def _rate(what: str, bytes_per_s: float | None) -> str:
    return "" if bytes_per_s is None else f"{what} {size(bytes_per_s)}/s"


def _cell(latest: Sample, seen: list[Sample], cell: str, width: int) -> Text:
    now = latest.cells[cell]

    def used(sample: Sample) -> float | None:
        found = sample.cells.get(cell)
        return found.cpu_percent if found else None

    curve = _curve(seen, used, width, None)
    facts = [_number(now.cpu_percent, "% of a core"), _of(now.memory_bytes, None)]
    return _line("cell", curve, facts)


def _curve(
    seen: Iterable[Sample], of: Callable[[Sample], float | None], width: int, top: float | None
) -> str:
    return sparkline([of(sample) for sample in seen], width, low=0.0, high=top)


def _line(name: str, curve: str, facts: Iterable[str]) -> Text:
    text = Text(no_wrap=True, overflow="ellipsis")
    text.append(f"{name:<{_LABEL}}", style="dim")
    text.append(curve)
    text.append("  " + "  ".join(facts))
    return text


def _number(value: float | None, unit: str, decimals: int = 0) -> str:
    return f"{value:5.{decimals}f} {unit}" if value is not None else f"    – {unit}"


def _scaled(value: float | None, by: float) -> float | None:
    return None if value is None else value / by


def _of(used: float | None, whole: float | None) -> str:
    if used is None:
        return "–"
    return f"{used / _GB:.1f} of {size(whole)}" if whole else size(used)


__all__ = ["KEPT_SAMPLES", "Trace"]
