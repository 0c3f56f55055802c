"""Where a run's report is, and the command to go on with."""

from __future__ import annotations

import math
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from comparisons.claims.verdicts import DECIDED
from comparisons.render.verdict_rows import decisive
from manifests import paths
from orchestrator.engines.slurm import arrays
from papers.expressions.quantities import UNCLEAR
from services.experiments_ran import experiments_alone, how_to_see
from services.runs import runs_of
from services.spent_time import spent_by_starts_s

if TYPE_CHECKING:
    from comparisons.claims import Judged
    from comparisons.results import Evidence
    from services.results import Results

_LEAST_BUDGET_MIN = 10


def report_path(results: Results) -> tuple[str, str]:
    """A label and a path: of the page where one was written, else of the tables."""
    folder = results.run.folder
    for label, name in (("report", "report.html"), ("tables", "tables.md")):
        path = folder / name
        if path.is_file():
            older = "" if _as_new(path, folder) else " (older than the last cells)"
            return label, f"{_shown(path)}{older}"
    return "run", _shown(folder)


def _as_new(path: Path, folder: Path) -> bool:
    written = path.stat().st_mtime
    made = (found.stat().st_mtime for found in folder.glob("cells/*/manifest.json"))
    return written >= max(made, default=0.0)


def next_step(evidence: Evidence, results: Results | None, ended: str = "") -> str:
    """What experiments have come to; the cells that wait; then more processes where they decide
    what is open; then a closer look at what fails, or at everything.

    ``ended`` says how measuring until decided did: a budget that is spent wants a larger one.
    """
    study = evidence.study
    if results is None:
        return f"repliquant run {study}"
    seen = how_to_see(results, _run_name(results).strip())
    if seen:
        return seen
    wait = len(results.manifests) < len(results.plan.cells)
    if wait and ended != "budget":
        return f"repliquant run {study} {_same_run(results)}{_same_experiments(results)}"
    if wait or any(_nearly(one) for one in evidence.claims):
        spent_s = spent_by_starts_s(results.run, results.manifests)
        minutes = max(_LEAST_BUDGET_MIN, math.ceil(2 * spent_s / 60))
        return f"repliquant run {study} {_same_run(results)} --budget {minutes}m{_staying(results)}"
    run = _run_name(results)
    failed = next((one for one in evidence.claims if decisive(one)[0].state in DECIDED[2:]), None)
    if failed is not None:
        return f"repliquant claims {study}{run} --claim {failed.number}"
    if (results.run.folder / "report.html").is_file():
        return f"repliquant claims {study}{run} --verbose"
    return f"repliquant report {shlex.quote(_shown(results.run.folder))}"


def _nearly(judged: Judged) -> bool:
    """Whether a number of processes that can be measured would decide it."""
    verdict = decisive(judged)[0]
    reachable = [one for one in verdict.wanted if one.within_reach]
    return verdict.state == UNCLEAR and bool(reachable)


def _same_run(results: Results) -> str:
    """Options that go on in the run's own folder with its own tier, and on the same cluster."""
    plan = results.plan
    told = [f"--tier {plan.tier}"]
    if _submitted(results):
        told.append("--engine slurm")
    usual = paths.runs() / f"{plan.study}-{plan.tier}-{plan.dataset}"
    if results.run.folder.absolute() != usual.absolute():
        told.append(f"--run {shlex.quote(_shown(results.run.folder))}")
    return " ".join(told)


def _same_experiments(results: Results) -> str:
    """Where nothing else was asked for."""
    asked = results.plan.experiments if experiments_alone(results) else []
    return "".join(f" --experiment {name}" for name in asked)


def _submitted(results: Results) -> bool:
    return (results.run.folder / arrays.FOLDER).is_dir()


def _staying(results: Results) -> str:
    """What is measured again by what was measured has to be waited for."""
    return " --wait" if _submitted(results) else ""


def _run_name(results: Results) -> str:
    """`` FOLDER``; "" for the one that a command would choose anyway."""
    latest = next(runs_of(results.plan.study), None)
    same = latest is not None and latest.folder.absolute() == results.run.folder.absolute()
    return "" if same else f" {shlex.quote(_shown(results.run.folder))}"


def _shown(path: Path) -> str:
    """As short as it can be said from here."""
    return min(str(path), os.path.relpath(path), key=len)
