"""Energy counters in made folders, and samples with what they come to by phase."""

from __future__ import annotations

from pathlib import Path

from machine.summary import Summary
from manifests.telemetry_series import GpuSample, HostSample, Sample
from manifests.telemetry_summary import PhaseTelemetry


def zone(root: Path, name: str, energy_uj: int, about: str = "package-0") -> Path:
    folder = root / name
    folder.mkdir()
    (folder / "name").write_text(f"{about}\n")
    (folder / "energy_uj").write_text(f"{energy_uj}\n")
    (folder / "max_energy_range_uj").write_text("999999\n")
    return folder


def sample(time_s: float, host: HostSample | None = None, **gpu: object) -> Sample:
    gpus = [GpuSample(index=0, **gpu)] if gpu else []  # type: ignore[arg-type]
    return Sample(time_s=time_s, host=host or HostSample(), gpus=gpus)


def summarized(*items: Sample | tuple[float, str]) -> dict[str, PhaseTelemetry]:
    """Samples and (time, phase) in the order in which they arrive."""
    summary = Summary()
    for item in items:
        if isinstance(item, Sample):
            summary.add(item)
        else:
            summary.phase(*item)
    return {phase.name: phase for phase in summary.finish()}
