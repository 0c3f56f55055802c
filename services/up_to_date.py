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
    written = [run.folder / name for name in names]
    if not all(path.is_file() for path in written):
        return False
    oldest = min(_changed(path) for path in written)
    return all(_changed(path) < oldest for path in _made_from(run))


def _made_from(run: Run) -> Iterator[Path]:
    yield run.cells  # it changes where a manifest goes
    yield run.plan_path
    yield from run.cells.glob("*/manifest.json")
    yield from study_folder(run.plan().study).rglob("*")
    for part in _WRITERS:
        yield from (path for path in (paths.ROOT / part).rglob("*.*") if path.suffix != ".pyc")


def _changed(path: Path) -> int:
    """In ns; 0 where it isn't there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
