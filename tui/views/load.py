"""The load of the machine over time: processors, memory, each GPU, as curves with their axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from tui.charts import Reading, columns, resampled
from tui.text import safe

if TYPE_CHECKING:
    from manifests.telemetry_series import Opening, Sample

_GIB = 2.0**30
_AXIS = 6
_LEAST_LINES, _MOST_LINES = 2, 12


def load(
    samples: Sequence[Sample], opening: Opening | None, width: int, height: int, colour: str
) -> list[Text]:
    """A curve a thing that is read, as high as the room allows; ``height`` lines at most, and as
    many curves as find room in them, processors and memory first.
    """
    if not samples:
        return []
    drawn = list(_drawn(samples, opening))
    lines = min(_MOST_LINES, max(_LEAST_LINES, height // len(drawn) - 1))
    room = max(8, width - _AXIS)
    found: list[Text] = []
    for name, values, top, unit in drawn:
        curve = _curve(name, values, top, unit, room, lines, colour)
        if len(found) + len(curve) + 1 > height:
            break
        found += curve
    return [*found, _axis(samples[-1].time_s - samples[0].time_s, room)]


def _drawn(
    samples: Sequence[Sample], opening: Opening | None
) -> Iterator[tuple[str, list[Reading], float | None, str]]:
    """Name, readings, the top of the scale (None: the largest reading), unit."""
    yield "processors", [one.host.cpu_percent for one in samples], 100.0, "%"
    whole = opening.memory_bytes if opening else None
    used = [_scaled(one.host.memory_used_bytes) for one in samples]
    yield "memory", used, _scaled(whole), "GiB"
    for gpu in samples[-1].gpus:
        yield f"GPU {gpu.index}", _of_gpu(samples, gpu.index, "utilization_percent"), 100.0, "%"
    for gpu in samples[-1].gpus:
        known = opening.gpus.get(gpu.index) if opening else None
        watts = _of_gpu(samples, gpu.index, "power_w")
        yield f"GPU {gpu.index} power", watts, known.power_limit_w if known else None, "W"


def _of_gpu(samples: Sequence[Sample], index: int, field: str) -> list[Reading]:
    found = (sample.gpu(index) for sample in samples)
    return [getattr(gpu, field) if gpu is not None else None for gpu in found]


def _scaled(count: int | None) -> float | None:
    return None if count is None else count / _GIB


def _curve(
    name: str, values: list[Reading], top: float | None, unit: str, room: int, lines: int,
    colour: str,
) -> list[Text]:  # fmt: skip
    known = [value for value in values if value is not None]
    head = Text(no_wrap=True, overflow="ellipsis").append(f"{name}  ", "bold")
    if not known:
        return [head.append("no reading", "dim not bold")]
    now = values[-1]
    told = "–" if now is None else f"{now:,.1f}"
    head.append(f"{told} {unit}", "not bold")
    head.append(f"   {min(known):,.1f} … {max(known):,.1f}", "dim not bold")
    high = top or max(known) or 1.0
    drawn = columns(_last(values, room), room, lines, 0.0, high)
    marks = [f"{high:,.0f}", *[""] * (lines - 2), "0"]
    return [head, *map(_row(colour), marks, drawn)]


def _last(values: list[Reading], room: int) -> list[Reading]:
    """At the right end, where there are few."""
    shown = resampled(values, room)
    return [*[None] * (room - len(shown)), *shown]


def _row(colour: str) -> Callable[[str, str], Text]:
    def row(mark: str, line: str) -> Text:
        text = Text(f"{mark:>{_AXIS - 1}} ", "dim", no_wrap=True)
        return text.append(safe(line), f"not dim {colour}")

    return row


def _axis(seconds: float, room: int) -> Text:
    left = f"{seconds:,.0f} s ago"
    gap = " " * max(1, room - len(left) - len("now"))
    return Text(f"{' ' * _AXIS}{left}{gap}now", "dim", no_wrap=True)
