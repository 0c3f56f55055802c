"""What an earlier orchestrator left in a cell's folder: work that was handed over."""

from __future__ import annotations

from pathlib import Path

from machine.seal import MANIFEST
from manifests.codec import UnreadableError, read_struct
from manifests.order import FILE_NAME, CellOrder
from orchestrator.engines.base import Handle
from orchestrator.engines.live_cells import read_handle


def submitted(folder: Path) -> tuple[Handle, CellOrder] | None:
    """The handle and the order of a cell that was handed over and has no manifest."""
    return None if (folder / MANIFEST).exists() else handed_over(folder)


def handed_over(folder: Path) -> tuple[Handle, CellOrder] | None:
    """The handle and the order of a cell's folder, whatever became of the cell."""
    handle = read_handle(folder)
    try:
        return (handle, read_struct(folder / FILE_NAME, CellOrder)) if handle else None
    except (UnreadableError, OSError):
        return None
