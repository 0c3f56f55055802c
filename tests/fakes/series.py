"""Series that no machine ever gave; they say so themselves."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifests.manifest import Gpu
from manifests.series_reader import Series
from manifests.telemetry_series import (
    GpuProcess,
    GpuSample,
    HostSample,
    Opening,
    PhaseMark,
    Sample,
    encode,
)

MADE_UP = "triangle waves, computed by tests/fakes/series.py"


def made_up(gpus: int = 8, seconds: float = 60.0, interval_s: float = 0.2) -> Series:
    """Every GPU alike but for its phase: 100 W to 300 W in waves of ten seconds."""
    count = round(seconds / interval_s) + 1
    samples = [_sample(round(number * interval_s, 4), gpus) for number in range(count)]
    device = Gpu(name="Made-up GPU", memory_bytes=2**34)
    opening = Opening(
        started_at="2026-01-01T00:00:00+00:00",
        interval_s=interval_s,
        made_up=MADE_UP,
        cpus=2,
        memory_bytes=16 * 2**30,
        gpus={index: msgspec.structs.replace(device, index=index) for index in range(gpus)},
    )
    return Series(opening, samples, [PhaseMark(time_s=0.1, name="measure", runner_s=0.0)], [])


def write(series: Series, path: Path) -> Path:
    """The file of a series."""
    timed = sorted([*series.phases, *series.samples], key=lambda line: line.time_s)
    path.write_bytes(b"".join(map(encode, [series.opening, *timed])))
    return path


def _sample(time_s: float, gpus: int) -> Sample:
    host = HostSample(cpu_percent=50.0, core_percent=[25.0, 75.0], memory_used_bytes=2**32)
    return Sample(time_s=time_s, host=host, gpus=[_gpu(time_s, i) for i in range(gpus)])


def _gpu(time_s: float, index: int) -> GpuSample:
    wave = abs((time_s + index) % 10 - 5) / 5
    return GpuSample(
        index=index,
        utilization_percent=round(100 * wave, 1),
        memory_busy_percent=round(40 * wave, 1),
        memory_used_bytes=round(2**33 * (1 + wave) / 2),
        power_w=round(100 + 200 * wave, 3),
        energy_j=round(1e6 + 200 * time_s, 3),
        temperature_c=round(50 + 20 * wave),
        sm_clock_hz=round(1.2e9 + 9e8 * wave),
        memory_clock_hz=6_501_000_000,
        clock_reasons=["power-cap"] if wave > 0.9 else [],
        processes=[GpuProcess(pid=4242 + index, memory_bytes=2**32)],
    )
