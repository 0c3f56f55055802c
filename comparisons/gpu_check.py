"""The summary of a gpu-check: one line a cell, speed beside the plain way of doing the same."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.statistics import median, readings
from manifests.cell import Cell
from manifests.flags import flags_of, impossible_in
from manifests.manifest import Manifest, Metric
from manifests.runner_files import readable_frameworks

_SKIPPED_STEPS = 3
_METRIC = {"train": "train_step_s", "infer": "latency_s"}


class CheckLine(NamedTuple):
    """Times in seconds, memory in bytes, energy in joules an image; None where unknown.

    ``speedup`` is against the baseline of the same framework, task, model and batch size, which
    is float32 unless framework.toml names another.
    """

    framework: str
    task: str
    technique: str
    model: str
    batch_size: int
    status: str
    seconds: float | None
    speedup: float | None
    allocator_bytes: float | None
    nvml_bytes: float | None
    energy_j: float | None
    coverage: float | None
    reason: str
    cell: str
    flags: tuple[str, ...] = ()


def check_lines(manifests: list[Manifest]) -> list[CheckLine]:
    """A line for each manifest, in their order."""
    base = {_place(m): _seconds(m) for m in manifests if m.cell.technique == _baseline(m.cell)}
    return [_line(manifest, base.get(_place(manifest))) for manifest in manifests]


def largest_batches(lines: list[CheckLine]) -> dict[str, tuple[int, int | None]]:
    """The largest batch that fitted, the smallest that didn't; by framework, model, technique."""
    found: dict[str, tuple[int, int | None]] = {}
    for line in lines:
        if line.task != "train" or line.status not in ("ok", "oom"):
            continue
        key = f"{line.framework} {line.model} {line.technique}"
        fitted, failed = found.get(key, (0, None))
        if line.status == "ok":
            fitted = max(fitted, line.batch_size)
        else:
            failed = min(failed or line.batch_size, line.batch_size)
        found[key] = (fitted, failed)
    return found


def framework_version(manifest: Manifest) -> str:
    """The framework's module and version, from packages whose names are spelled in many ways."""
    name = manifest.cell.framework
    there = readable_frameworks().get(name)
    names = there.packages if there else [name]
    packages = {_plain(k): v for k, v in manifest.environment.packages.items()}
    found = (packages[_plain(name)] for name in names if _plain(name) in packages)
    return f"{names[0]} {next(found, '?')}"


def _plain(package: str) -> str:
    return package.lower().replace("_", "-")


def _line(manifest: Manifest, base: float | None) -> CheckLine:
    cell = manifest.cell
    seconds = _seconds(manifest)
    flags = flags_of(manifest, _METRIC.get(cell.task, ""))
    return CheckLine(
        framework=cell.framework,
        task=cell.task,
        technique=cell.technique,
        model=cell.model,
        batch_size=cell.batch_size,
        status=manifest.status,
        seconds=seconds,
        speedup=base / seconds if base and seconds else None,
        allocator_bytes=_one(manifest.metric("peak_memory_bytes", "allocator")),
        nvml_bytes=_whole_device(manifest),
        energy_j=_energy(manifest),
        coverage=manifest.proof.coverage if manifest.proof else None,
        reason=manifest.reason,
        cell=manifest.id,
        flags=tuple(flags),
    )


def _whole_device(manifest: Manifest) -> float | None:
    """All that was used on the cell's GPU; earlier versions read it in the cell's own process."""
    found = manifest.labelled("peak_memory_bytes")
    told = [_one(m) for m in found if m.label == "nvml" or m.label.startswith("GPU ")]
    return max((value for value in told if value is not None), default=None)


def _baseline(cell: Cell) -> str:
    there = readable_frameworks().get(cell.framework)
    return there.baseline_of(cell.task) if there else "float32"


def _place(manifest: Manifest) -> tuple[str, str, str, int]:
    cell = manifest.cell
    return cell.framework, cell.task, cell.model, cell.batch_size


def _seconds(manifest: Manifest) -> float | None:
    """The median; a training's first steps, in which kernels are chosen, are left out."""
    metric = manifest.metric(_METRIC.get(manifest.cell.task, ""))
    if metric is None or manifest.status != "ok" or impossible_in(manifest, metric):
        return None
    values = readings(metric)
    if manifest.cell.task == "train":
        values = values[_SKIPPED_STEPS:]
    return median(values)


def _energy(manifest: Manifest) -> float | None:
    """While it trained or measured; earlier versions read it in the cell's own process."""
    phase = {"train": "train", "infer": "measure"}.get(manifest.cell.task, "")
    told = _one(manifest.metric("energy_j", phase))
    return told if told is not None else _one(manifest.metric("energy_j"))


def _one(metric: Metric | None) -> float | None:
    values = readings(metric) if metric else []
    return values[0] if values else None
