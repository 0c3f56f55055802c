"""Cells that wait or run at an engine whose queue outlives the command that submitted them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from manifests.errors import RepliquantError
from manifests.run_folder import Run
from orchestrator.engines.base import Handle
from orchestrator.engines.live_cells import read_handle
from orchestrator.engines.registry import entry


def queued(run: Run, cells: Sequence[str]) -> dict[str, tuple[str, str]]:
    """State and a few words for those of the cells that were handed to a queue."""
    by_engine: dict[str, dict[Path, Handle]] = {}
    for cell in cells:
        folder = run.cell_folder(cell).resolve()
        handle = read_handle(folder)
        if handle is not None:
            by_engine.setdefault(handle.engine, {})[folder] = handle
    found: dict[str, tuple[str, str]] = {}
    for engine, handles in by_engine.items():
        found.update(_at(engine, handles))
    return found


def _at(engine: str, handles: dict[Path, Handle]) -> dict[str, tuple[str, str]]:
    """Nothing for an engine without a queue, or one that isn't there."""
    try:
        ask = entry(engine).standings
        told = ask(handles) if ask is not None else {}
    except RepliquantError:
        return {}
    return {folder.name: (one.state, one.words) for folder, one in told.items()}
