"""What only a GPU can run and this machine can't: told once, not row by row."""

from __future__ import annotations

from collections.abc import Sequence

from manifests.manifest import Manifest
from manifests.plan import Plan


def gpu_only_cells(plan: Plan | None, manifests: Sequence[Manifest]) -> dict[str, str]:
    """The ids of such cells, each with the reason, in the order of the plan."""
    if plan is None:
        return {}
    by_id = {manifest.id: manifest for manifest in manifests}
    found: dict[str, str] = {}
    for planned in plan.cells:
        manifest = by_id.get(planned.id)
        if planned.cell.device != "gpu":
            continue
        if manifest is not None and manifest.status == "unsupported":
            found[planned.id] = manifest.reason
        elif manifest is None and planned.skip:
            found[planned.id] = planned.skip
    return found
