"""What is left to do of a run, and why a cell is run that was run before."""

from __future__ import annotations

from typing import NamedTuple

from manifests.cell import sha256_hex
from manifests.codec import UnreadableError
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from manifests.run_folder import Run


class Todo(NamedTuple):
    """A cell to run, and why again when it was started before.

    ``holds`` are the GPUs of one that an earlier orchestrator submitted and that has not ended;
    None: it has to be started.
    """

    planned: PlannedCell
    again: str
    holds: tuple[str, ...] | None = None


def outstanding(run: Run, chosen: list[PlannedCell], rerun: set[str]) -> list[Todo]:
    """The chosen cells that have to run, in order, each with the reason when it ran before.

    ``rerun`` holds statuses and cell ids to run again whatever their manifest says.
    """
    todo: list[Todo] = []
    fresh: set[str] = set()
    for planned in chosen:
        again = _why(run, planned, rerun, fresh)
        if again is not None:
            todo.append(Todo(planned, again))
            fresh.add(planned.id)
    return todo


def _why(run: Run, planned: PlannedCell, rerun: set[str], fresh: set[str]) -> str | None:
    """Why the cell has to run: "" when it never did, None when it needn't."""
    folder = run.cell_folder(planned.id)
    try:
        manifest = run.manifest(planned.id)
    except (UnreadableError, OSError) as error:
        return f"its manifest can't be used: {error}"
    if manifest is None:
        return "it was cut off before it left a manifest" if folder.exists() else ""
    if manifest.status in rerun or planned.id in rerun:
        return f"asked for with --rerun (it was {manifest.status})"
    if fresh.intersection(planned.needs):
        return f"the cell that it starts from ({planned.needs[0]}) is run again"
    if _other_weights(run, planned, manifest):
        return f"the cell that it starts from ({planned.needs[0]}) has been run again since"
    if _random_start(planned, manifest):
        return "it did not start from the published weights that its recipe names"
    if manifest.transient and not _refused_again(run, planned, manifest):
        return f"it was {manifest.status}: {manifest.reason}"
    return None


def _other_weights(run: Run, planned: PlannedCell, manifest: Manifest) -> bool:
    """Whether the manifest was made from weights that are no longer there."""
    made_from = manifest.inputs.weights_manifest_sha256
    if not planned.cell.weights_from or made_from is None:
        return False
    try:
        now = sha256_hex(run.manifest_path(planned.cell.weights_from).read_bytes())
    except OSError:
        return False
    return now != made_from


def _random_start(planned: PlannedCell, manifest: Manifest) -> bool:
    """Whether it went on from random weights because those of its recipe could not be fetched."""
    asked = planned.cell.recipe.get("weights", "none") != "none" and not planned.cell.weights_from
    return asked and manifest.status == "ok" and manifest.inputs.weights.startswith("none")


def _refused_again(run: Run, planned: PlannedCell, manifest: Manifest) -> bool:
    """Whether what kept the cell from running still does: no GPU, or no weights."""
    if manifest.status != "unsupported":
        return False
    parents = [manifest_or_none(run, need) for need in planned.needs]
    return bool(planned.skip) or any(p is None or p.status != "ok" for p in parents)


def manifest_or_none(run: Run, cell_id: str) -> Manifest | None:
    """The manifest of a cell, None also when it can't be used."""
    try:
        return run.manifest(cell_id)
    except (UnreadableError, OSError):
        return None
