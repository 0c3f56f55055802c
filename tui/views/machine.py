"""What the machine went through of late, as lines for a panel."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from rich.text import Text

from manifests.telemetry_series import THROTTLING, GpuSample, Opening, Sample
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
        self.opening: Opening | None = None

    def add(self, sample: Sample) -> None:
        self._samples.append(sample)

    def clear(self) -> None:
        self._samples.clear()

    @property
    def latest(self) -> Sample | None:
        return self._samples[-1] if self._samples else None

    def lines(
        self, width: int, cell: str, nothing: str, colour: str = "", more: bool = False
    ) -> list[Text]:
        """The host, the cell, then a line a GPU; why a reading is missing stands in its place.

        ``more`` adds each processor, energy and disk, and a second line for each GPU.
        """
        latest = self.latest
        if latest is None:
            return [Text(nothing, style="dim")]
        curve = max(8, min(40, width - 52))
        seen = list(self._samples)[-curve:]
        lines = [self._cpu(latest, seen, curve), self._memory(latest, seen, curve)]
        if cell in latest.cells:
            lines.append(_cell(latest, seen, cell, curve))
        lines += [self._gpu(latest, gpu, seen, curve) for gpu in latest.gpus]
        for line in lines:
            line.stylize(colour, _LABEL, _LABEL + curve)
        if more:
            lines[1:1] = _host_more(latest, self._samples[0])
            lines += [_gpu_more(gpu, self._samples[0].gpu(gpu.index)) for gpu in latest.gpus]
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


def _host_more(latest: Sample, first: Sample) -> list[Text]:
    """A column for each processor; energy since the first sample; the disk."""
    host = latest.host
    cores = host.core_percent or []
    facts = [_joules("package", host.package_energy_j, first.host.package_energy_j)]
    facts += [
        _rate("read", host.disk_read_bytes_per_s),
        _rate("write", host.disk_write_bytes_per_s),
    ]
    told = "  ".join(fact for fact in facts if fact)
    each = sparkline(list(cores), len(cores), 0.0, 100.0) if cores else ""
    if not (each or told):
        return []
    return [Text(f"{'each':<{_LABEL}}", "dim", no_wrap=True).append(f"{each}  {told}", "not dim")]


def _gpu_more(gpu: GpuSample, first: GpuSample | None) -> Text:
    """Clocks, processes, energy since the first sample."""
    others = [one for one in gpu.processes or () if one.own is False]
    facts = [
        _number(_scaled(gpu.sm_clock_hz, 1e6), "MHz"),
        _number(_scaled(gpu.memory_clock_hz, 1e6), "MHz memory"),
        _joules("", gpu.energy_j, first.energy_j if first else None),
        "" if gpu.processes is None else f"{len(gpu.processes)} processes, {len(others)} others'",
    ]
    text = Text(" " * _LABEL, "dim", no_wrap=True)
    return text.append("  ".join(fact for fact in facts if fact), "dim")


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
