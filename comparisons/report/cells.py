"""What the page tells of each cell: enough to see where a number comes from."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.render.fidelity_rows import fidelity_rows
from comparisons.render.metric_rows import MetricRow, metric_rows
from comparisons.render.values import number, printable
from manifests.cell import sha256_hex
from manifests.codec import encode_manifest
from manifests.manifest import Manifest

_MOST_OPERATIONS = 8


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
        metrics=metric_rows(manifest, _MOST_OPERATIONS),
        flags=[(flag.name, flag.detail) for flag in manifest.flags],
        telemetry=_telemetry(manifest),
    )


def _telemetry(manifest: Manifest) -> list[tuple[str, str]]:
    if manifest.telemetry is None:
        return []
    rows = [("samples", str(manifest.telemetry.samples))]
    for phase in manifest.telemetry.by_phase():
        means = {name: reading.mean for name, reading in phase.readings.items()}
        rows += [(f"{phase.name}: {name}, mean", number(mean)) for name, mean in means.items()]
    return rows


def _facts(manifest: Manifest) -> list[tuple[str, str]]:
    cell, environment, context = manifest.cell, manifest.environment, manifest.context
    recipe = ", ".join(f"{key} {value}" for key, value in cell.recipe.items())
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
    if context is not None:
        kit = f"{context.kit.version} {(context.kit.commit or '')[:12]}"
        facts += [("image", f"{context.image.name} ({context.engine})"), ("kit", kit.strip())]
        facts += [("code from outside", f"{e.name} {e.sha256}") for e in context.kit.extensions]
        facts.append(("image digest", context.image.digest or ""))
    return facts
