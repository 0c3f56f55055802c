"""What the page tells of each cell: enough to see where a number comes from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from comparisons.gpu_only import gpu_only_cells
from comparisons.render.fidelity_rows import fidelity_rows
from comparisons.render.float_set_rows import float_set_rows
from comparisons.render.metric_rows import MetricRow, metric_rows
from comparisons.render.values import number, printable
from comparisons.results import Evidence
from manifests.cell import sha256_hex
from manifests.codec import encode_manifest
from manifests.manifest import Manifest
from manifests.metrics import METRICS

_MOST_OPERATIONS = 8
_UNITS = {
    "percent": "%", "w": "W", "mw": "mW", "j": "J", "s": "s", "c": "°C", "mhz": "MHz",
    "bytes": "bytes",
}  # fmt: skip


class CellPart(NamedTuple):
    """A cell in words. ``file`` is where its manifest lies beside the page."""

    id: str
    title: str
    status: str
    reason: str
    file: str
    sha256: str
    facts: list[tuple[str, str]]
    metrics: list[MetricRow]
    flags: list[tuple[str, str]]
    telemetry: list[tuple[str, str]]


class CellParts(NamedTuple):
    """All cells of a run, in the order of the plan.

    ``gpu_only`` are those that only a GPU can run, ``gpu_reason`` is why they didn't; ``not_run``
    has the titles of those without a manifest.
    """

    shown: list[CellPart]
    gpu_only: list[CellPart]
    gpu_reason: str
    not_run: list[str]

    @property
    def statuses(self) -> list[str]:
        """Those of the shown ones, to choose from."""
        return sorted({cell.status for cell in self.shown})


def cell_parts(evidence: Evidence, base: str) -> CellParts:
    """``base`` is the way from the page to the run's folder."""
    plan = evidence.plan
    planned = plan.cells if plan is not None else []
    place = {one.id: number for number, one in enumerate(planned)}
    ordered = sorted(evidence.manifests, key=lambda m: place.get(m.id, len(place)))
    gpu_only = gpu_only_cells(plan, evidence.manifests)
    there = {manifest.id for manifest in ordered}
    return CellParts(
        shown=_described([m for m in ordered if m.id not in gpu_only], base),
        gpu_only=_described([m for m in ordered if m.id in gpu_only], base),
        gpu_reason=", ".join(dict.fromkeys(gpu_only.values())),
        not_run=[one.cell.title for one in planned if one.id not in there],
    )


def _described(manifests: Sequence[Manifest], base: str) -> list[CellPart]:
    return [describe(manifest, base) for manifest in manifests]


def describe(manifest: Manifest, base: str) -> CellPart:
    """``base`` is the way from the page to the run's folder."""
    return CellPart(
        id=manifest.id,
        title=manifest.cell.title,
        status=manifest.status,
        reason=manifest.reason,
        file=f"{base}cells/{manifest.id}/manifest.json",
        sha256=sha256_hex(encode_manifest(manifest)),
        facts=[(name, printable(value)) for name, value in _facts(manifest) if value],
        metrics=[_worded(row) for row in metric_rows(manifest, _MOST_OPERATIONS)],
        flags=[(flag.name, flag.detail) for flag in manifest.flags],
        telemetry=_telemetry(manifest),
    )


def _worded(row: MetricRow) -> MetricRow:
    """``time per training step`` for ``train_step_s``."""
    name, _, label = row.name.partition(" ")
    worded = METRICS[name].name if name in METRICS else name
    return row._replace(name=f"{worded} {label}".strip())


def _telemetry(manifest: Manifest) -> list[tuple[str, str]]:
    if manifest.telemetry is None:
        return []
    rows = [("samples", str(manifest.telemetry.samples))]
    for phase in manifest.telemetry.by_phase():
        means = {name: reading.mean for name, reading in phase.readings.items()}
        rows += [
            (f"{phase.name.replace('_', ' ')}: {reading_words(name)}, mean", number(mean))
            for name, mean in means.items()
        ]
    return rows


def reading_words(name: str) -> str:
    """``gpus 0 power (W)`` for ``gpus/0/power_w``."""
    rest, _, unit = name.rpartition("_")
    if rest and unit in _UNITS:
        return f"{_spaced(rest)} ({_UNITS[unit]})"
    return _spaced(name)


def _spaced(name: str) -> str:
    return name.replace("/", " ").replace("_", " ")


def _facts(manifest: Manifest) -> list[tuple[str, str]]:
    cell, environment, context = manifest.cell, manifest.environment, manifest.context
    recipe = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in cell.recipe.items())
    data, machine = manifest.inputs.dataset, environment.machine
    facts = [
        ("started", manifest.started_at),
        ("took", f"{manifest.wall_s:.1f} s"),
        ("protocol, tier", f"{cell.protocol}, {cell.tier}"),
        ("recipe", recipe),
        ("weights from", cell.weights_from or ""),
        ("data", f"{data.name}: {data.origin}" if data is not None else cell.dataset),
        ("processor", f"{machine.cpu}" if machine is not None else ""),
        ("packages", ", ".join(f"{k} {v}" for k, v in environment.packages.items())),
    ]
    if manifest.proof is not None:
        proof = manifest.proof
        coverage = f"{proof.coverage:.0%}" if proof.coverage is not None else "unknown"
        facts.append(
            ("proof of precision", f"{coverage} of compute operations in {proof.promised}")
        )
    facts += fidelity_rows(manifest)
    facts += float_set_rows(manifest)
    if context is not None:
        kit = f"{context.kit.version} {(context.kit.commit or '')[:12]}"
        facts += [("image", f"{context.image.name} ({context.engine})"), ("kit", kit.strip())]
        facts += [("code from outside", f"{e.name} {e.sha256}") for e in context.kit.extensions]
        facts.append(("image digest", context.image.digest or ""))
    return facts
