"""Many manifests, made from the real ones of a run by giving their cells other seeds."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifests.codec import encode_manifest, write_plan
from manifests.run_folder import Run
from services.runs import latest_run


def many_manifests(folder: Path, count: int) -> Path:
    """A run's folder with ``count`` manifests and the plan for them."""
    source = latest_run("lad2023")
    plan, originals = source.plan(), source.load().manifests
    planned = {item.id: item for item in plan.cells}
    made = Run(folder / "many")
    cells = []
    for index in range(count):
        manifest = originals[index % len(originals)]
        cell = msgspec.structs.replace(manifest.cell, seed=index)
        copy = msgspec.structs.replace(manifest, cell=cell, id=cell.id)
        made.cell_folder(cell.id).mkdir(parents=True)
        made.manifest_path(cell.id).write_bytes(encode_manifest(copy))
        cells.append(msgspec.structs.replace(planned[manifest.id], cell=cell, id=cell.id))
    write_plan(made.plan_path, msgspec.structs.replace(plan, cells=cells))
    return made.folder
