"""Finding runs and cells by what a person types."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from manifests import paths
from manifests.codec import UnreadableError
from manifests.errors import InputError
from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.run_folder import Run
from manifests.select import nearest
from services.phrases import count, printable

if TYPE_CHECKING:
    from comparisons.results import Evidence


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
    raise InputError(
        f"no run {str(name)!r}.{nearest(str(name), known)} "
        f"Accepted: a run's folder, or one of: {', '.join(known) or 'none yet (repliquant run)'}"
    )


def plan_of(run: Run) -> Plan:
    """Raises InputError when the plan can't be used."""
    try:
        return run.plan()
    except (UnreadableError, OSError) as error:
        raise InputError(f"the plan of run {run.id} can't be used: {error}") from error


def load_planned(run: Run) -> tuple[Plan, list[Manifest]]:
    """The plan and the manifests of its cells; what is left out is told on standard error.

    Raises InputError when the plan can't be used.
    """
    plan = plan_of(run)
    loaded = run.load()
    planned = {item.id for item in plan.cells}
    manifests = [manifest for manifest in loaded.manifests if manifest.id in planned]
    unplanned = len(loaded.manifests) - len(manifests)
    warnings = list(loaded.warnings)
    if unplanned:
        warnings.append(
            f"{count(unplanned, 'manifest')} of cells that the plan doesn't have: left out"
        )
    for warning in warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    return plan, manifests


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


def evidence_of(study: str, run: Run, claim: str = "") -> Evidence:
    """Tables and verdicts of a run. Raises InputError when it is a run of another study."""
    from comparisons.results import gather
    from papers.study import study_folder

    plan, manifests = load_planned(run)
    if plan.study != study:
        raise InputError(f"{run.folder} is a run of {plan.study}, not of {study}")
    return gather(study_folder(study), plan, manifests, run.id, claim)
