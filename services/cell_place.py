"""Where a cell runs, or ran: the engine, and the process, container, or job and node there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manifests.codec import UnreadableError
from services.phrases import printable

if TYPE_CHECKING:
    from manifests.allocation import Allocation
    from manifests.manifest import Manifest
    from manifests.run_folder import Run
    from orchestrator.engines.base import Handle

_SHORT_ID = 12


def place_words(run: Run, cell: str, image: str = "") -> str:
    """In a line; "" where nobody knows. An engine with a queue is asked, which takes a moment.
    ``image`` is the cell's, as planned: what a running cell has not written down yet.
    """
    manifest = _manifest(run, cell)
    parts = _running(run, cell, image) if manifest is None else _ran(manifest)
    return printable(", ".join(part for part in parts if part))


def _manifest(run: Run, cell: str) -> Manifest | None:
    try:
        return run.manifest(cell)
    except (UnreadableError, OSError):
        return None


def _running(run: Run, cell: str, image: str) -> list[str]:
    """By what the engine left when it took the cell, and what its queue says of it."""
    from orchestrator.engines.live_cells import read_handle
    from services.queued_cells import queued

    handle = read_handle(run.cell_folder(cell))
    if handle is None:
        return []
    _, words = queued(run, [cell]).get(cell, ("", ""))
    environment = f"environment {image}" if image else ""
    return [f"engine {handle.engine}", words, *_known(handle), environment]


def _known(handle: Handle) -> list[str]:
    known = handle.known
    container = known.get("container", "")[:_SHORT_ID]
    pid = known.get("pid", "")
    return [f"container {container}" * bool(container), f"process {pid}" * bool(pid)]


def _ran(manifest: Manifest) -> list[str]:
    context = manifest.context
    if context is None:
        return []
    kinds = {"venv": "virtual environment", "container": "container of", "given": "with"}
    image = f"{kinds[context.image.kind]} {context.image.name}"
    gpus = f"GPU {', '.join(context.gpus)}" if context.gpus else ""
    return [f"engine {context.engine}", _allotted(context.allocation), image, gpus]


def _allotted(found: Allocation | None) -> str:
    """The job and its node, as its scheduler calls them."""
    if found is None:
        return ""
    partition = f" of partition {found.partition}" if found.partition else ""
    return f"job {found.job} on {found.node}{partition}"
