"""The cells that a cell starts from: whether they have ended well and what they left is whole."""

from __future__ import annotations

from typing import NamedTuple

from manifests.artifacts import fault
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.planning.resuming import manifest_or_none


class Missing(NamedTuple):
    """Why a cell's weights can't be had, empty when they can; ``damaged``: they were there."""

    reason: str = ""
    damaged: bool = False


def missing_weights(run: Run, planned: PlannedCell) -> Missing:
    """What keeps a cell from starting with the weights of others."""
    for need in planned.needs:
        manifest = manifest_or_none(run, need)
        if manifest is None or manifest.status != "ok":
            state = manifest.status if manifest else "not run"
            return Missing(f"starts from the weights of cell {need}, which is {state}")
        damaged = _damaged(run, need, manifest)
        if damaged:
            return Missing(damaged, True)
    return Missing()


def _damaged(run: Run, need: str, manifest: Manifest) -> str:
    """What has become of the files that a cell left, and what to do about it."""
    folder = run.cell_folder(need)
    found = [fault(folder, artifact) for artifact in manifest.artifacts]
    wrong = "; ".join(item.text for item in found if item is not None)
    return f"starts from cell {need}, whose {wrong}. Make it again: --rerun {need}" if wrong else ""
