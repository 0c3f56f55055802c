"""Whether what was written of a run is newer than all that it is made from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from manifests import paths
from manifests.run_folder import Run
from papers.study import study_folder

_WRITERS = ("services", "comparisons", "papers", "manifests")


def up_to_date(run: Run, names: Iterable[str]) -> bool:
    """Whether files of these names in the run's folder are newer than the run, the study, and the
    code that writes them.
    """
    written = [_changed(run.folder / name) for name in names]
    if any(moment is None for moment in written):
        return False
    oldest = min(moment for moment in written if moment is not None)
    return all((_changed(path) or 0) < oldest for path in _made_from(run))


def _made_from(run: Run) -> Iterator[Path]:
    yield run.cells  # it changes where a manifest goes
    yield run.plan_path
    yield from run.cells.glob("*/manifest.json")
    yield from study_folder(run.plan().study).rglob("*")
    for part in _WRITERS:
        yield from (path for path in (paths.ROOT / part).rglob("*.*") if path.suffix != ".pyc")


def _changed(path: Path) -> int | None:
    """In ns; None where it isn't there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
