"""The support matrix that a person asks for: of which run, and which part of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from manifests.errors import InputError
from manifests.suggest import check
from services.results import read_results
from services.runs import all_runs, find_run, plan_of, runs_of

if TYPE_CHECKING:
    from comparisons.matrix import Matrix
    from manifests.run_folder import Run

_TASK = "probe"


class Asked(NamedTuple):
    """What is to be shown; empty lists take all.

    ``works_in`` and ``not_in``: a framework or a technique each. Only features that work by the
    one and don't by the other are left.
    """

    frameworks: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    works_in: str = ""
    not_in: str = ""


class Support(NamedTuple):
    """The part that was asked for of a run's matrix, and what was left out of the run."""

    run: Run
    matrix: Matrix
    warnings: list[str]


def support(name: str, asked: Asked) -> Support:
    """Of a run, of the latest run of a study with probes, or of the latest one of all.

    Raises InputError with what is accepted.
    """
    from comparisons.matrix import chosen, support_matrix

    run = _run(name)
    results = read_results(run)
    whole = support_matrix(results.plan.cells, results.manifests)
    _check(whole, asked)
    part = chosen(whole, asked.frameworks, asked.techniques, _features(whole, asked))
    if not part.entries:
        raise InputError("no probe is left of what was asked for: ask for less at once")
    return Support(run, part, results.warnings)


def _features(whole: Matrix, asked: Asked) -> tuple[str, ...]:
    """Those that are named, and by both sides of a comparison. Raises InputError for none."""
    from comparisons.matrix import works_in

    wanted = [name for name in whole.features if not asked.features or name in asked.features]
    if asked.works_in:
        there = works_in(whole, asked.works_in)
        wanted = [name for name in wanted if name in there]
    if asked.not_in:
        there = works_in(whole, asked.not_in)
        wanted = [name for name in wanted if name not in there]
    if not wanted:
        raise InputError(
            f"no feature works in {asked.works_in or 'any technique'} and not in "
            f"{asked.not_in or 'any other'}, of those that were probed"
        )
    return tuple(wanted)


def _check(whole: Matrix, asked: Asked) -> None:
    from comparisons.matrix import names

    frameworks = list(dict.fromkeys(column.framework for column in whole.columns))
    techniques = list(dict.fromkeys(column.technique for column in whole.columns))
    for what, given, known in (
        ("framework", asked.frameworks, frameworks),
        ("technique", asked.techniques, techniques),
        ("feature", asked.features, whole.features),
        ("framework or technique", (asked.works_in, asked.not_in), names(whole)),
    ):
        for one in filter(None, given):
            check(what, one, known, InputError, after=" here")


def _run(name: str) -> Run:
    from papers.study import study_ids

    if name and name not in study_ids():
        return _probing(find_run(name))
    runs = runs_of(name) if name else iter(all_runs())
    for run in runs:
        if _has_probes(run):
            return run
    of = f"of {name} " if name else ""
    raise InputError(
        f"no run {of}has probes. Run them first: repliquant run {name or 'lad2023'} "
        "--experiment matrix"
    )


def _probing(run: Run) -> Run:
    if not _has_probes(run):
        raise InputError(f"run {run.id} has no probes: plan them with --experiment matrix")
    return run


def _has_probes(run: Run) -> bool:
    try:
        return any(item.cell.task == _TASK for item in plan_of(run).cells)
    except InputError:
        return False
