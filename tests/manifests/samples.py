"""A cell, a manifest and a run folder to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from manifests.cell import Cell
from manifests.codec import encode_manifest
from manifests.manifest import Environment, Inputs, Manifest, Metric
from manifests.plan import PlannedCell
from manifests.run_folder import Run


def a_cell(**changes: Any) -> Cell:
    fields: dict[str, Any] = {
        "study": "lad2023",
        "task": "infer",
        "framework": "pytorch",
        "technique": "ptq-eager",
        "model": "resnet18",
        "dataset": "digits",
        "image_size": 32,
        "batch_size": 128,
        "seed": 1,
        "protocol": "rigorous",
        "tier": "quick",
        "recipe": {"measure_s": 1.5, "measure_count": 64, "milestones": [0.5, 0.75]},
    }
    return Cell(**{**fields, **changes})


def a_manifest(cell: Cell | None = None, **changes: Any) -> Manifest:
    cell = cell or a_cell()
    fields: dict[str, Any] = {
        "id": cell.id,
        "cell": cell,
        "status": "ok",
        "reason": "",
        "started_at": "2024-05-01T12:00:00+00:00",
        "wall_s": 2.5,
        "metrics": [Metric(name="latency_s", unit="s", samples=[0.25, None, 0.5])],
        "environment": Environment(),
        "inputs": Inputs(),
    }
    return Manifest(**{**fields, **changes})


def a_run(folder: Path, *manifests: Manifest) -> Run:
    """A run folder with these manifests in it."""
    run = Run(folder)
    run.cells.mkdir(parents=True)
    for manifest in manifests:
        put(run, manifest.id, encode_manifest(manifest))
    return run


def put(run: Run, name: str, data: bytes) -> Path:
    """A manifest file of these bytes in the cell folder ``name``."""
    path = run.cells / name / "manifest.json"
    path.parent.mkdir()
    path.write_bytes(data)
    return path


def planned(batch: int, estimate_s: float = 10.0) -> PlannedCell:
    cell = a_cell(batch_size=batch)
    return PlannedCell(
        id=cell.id, cell=cell, image="alpha", needs=[], estimate_s=estimate_s,
        study_estimate_s=estimate_s, estimate_source="the study", timeout_s=60,
    )  # fmt: skip
