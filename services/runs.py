"""Finding runs and cells by what a person types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from manifests import paths
from manifests.codec import UnreadableError
from manifests.errors import InputError
from manifests.plan import Plan
from manifests.run_folder import Run
from manifests.suggest import unknown


def all_runs() -> list[Run]:
    """The runs under the runs folder, the latest first."""
    plans = list(paths.runs().glob("*/plan.json"))
    plans.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [Run(path.parent) for path in plans]


def find_run(name: str | Path) -> Run:
    """A run by its folder or by its id. Raises InputError with the runs there are."""
    for folder in (Path(name), paths.runs() / name):
        if (folder / "plan.json").is_file():
            return Run(folder)
    known = [run.id for run in all_runs()]
    listed = ", ".join(known) or "none yet (repliquant run)"
    choices = f"a run's folder, or one of: {listed}"
    raise InputError(unknown("run", name, known, choices=choices))


def plan_of(run: Run) -> Plan:
    """Raises InputError when the plan can't be used."""
    try:
        return run.plan()
    except (UnreadableError, OSError) as error:
        raise InputError(f"the plan of run {run.id} can't be used: {error}") from error


def runs_of(study: str) -> Iterator[Run]:
    """The runs of a study, the latest first; those whose plan can't be used are passed over."""
    for run in all_runs():
        with contextlib.suppress(UnreadableError, OSError):
            if run.plan().study == study:
                yield run


def latest_run(study: str) -> Run:
    """The latest run of a study. Raises InputError when there is none."""
    for run in runs_of(study):
        return run
    raise InputError(
        f"no run of {study} under {paths.runs()}. Run it first: repliquant run {study}, "
        "or name a run's folder"
    )


def check_study(study: str) -> None:
    """Raises InputError with the studies there are."""
    from papers.study import study_folder

    study_folder(study)
