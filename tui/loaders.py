"""What screens show, read from disk; everything here runs on threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from comparisons.comparison import Comparison, compare_tables, describe_environments
from comparisons.decomposition import Explanation, explain_measured, explain_published
from comparisons.measured import Points
from comparisons.render import speedups as ladder_words
from manifests import paths
from manifests.codec import UnreadableError
from manifests.errors import InputError, KitError
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from manifests.run_folder import Run
from orchestrator.running.request import Prepared, Request, prepare
from papers.published import PublishedError, PublishedTable, load_published
from papers.study import Study, load_study
from services.runs import all_runs, plan_of
from services.selection import Wish, narrowed
from tui.views.speedups import Speedup

if TYPE_CHECKING:
    from comparisons.differences import Differences

State = tuple[str, str]
"""A status and its reason."""

BEHIND = "behind the tables"
"""The group of the cells that no table shows, but that others start from."""


class RunLine(NamedTuple):
    """A run of a study and what it came to."""

    run: Run
    plan: Plan
    counts: dict[str, int]


class StudyLine(NamedTuple):
    """A study, what of it this machine can run, and its runs, the latest first."""

    study: Study
    claims: int
    tables: int
    cells: int
    runnable: int
    tier: str
    why_not: dict[str, int]
    runs: list[RunLine]
    problem: str = ""


class Planned(NamedTuple):
    """A wish, the request that it comes to, and its plan.

    ``states`` is what the plan's run has of each cell already, ``groups`` where each is shown.
    """

    wish: Wish
    request: Request
    prepared: Prepared
    states: dict[str, State]
    groups: dict[str, str]


class Results(NamedTuple):
    """One run beside its paper."""

    run: Run
    plan: Plan
    manifests: dict[str, Manifest]
    comparisons: list[Comparison]
    environments: list[str]
    warnings: list[str]
    speedups: list[Speedup]


def survey(name: str, tier: str) -> StudyLine:
    """Everything the first screen says of one study. Raises KitError."""
    study = load_study(name)
    shown = tier if tier in study.tiers else next(iter(study.tiers))
    runs = [line for line in map(run_line, all_runs()) if line and line.plan.study == name]
    try:
        plan = prepare(Request(name, shown)).plan
        problem = ""
    except KitError as error:
        plan, problem = None, str(error)
    cells = plan.cells if plan else []
    from comparisons.claims import load_claims

    return StudyLine(
        study=study,
        claims=len(load_claims(paths.STUDIES / name).claim),
        tables=len(load_published(paths.STUDIES / name)),
        cells=len(cells),
        runnable=sum(not planned.skip for planned in cells),
        tier=shown,
        why_not=dict(Counter(planned.skip for planned in cells if planned.skip)),
        runs=runs,
        problem=problem,
    )


def run_line(run: Run) -> RunLine | None:
    """None for a run whose plan can't be used."""
    try:
        plan = run.plan()
    except (UnreadableError, OSError):
        return None
    return RunLine(run, plan, dict(Counter(state for state, _ in states_of(run, plan).values())))


def states_of(run: Run, plan: Plan) -> dict[str, State]:
    """The status of every cell of a plan; "waiting" for one without a manifest."""
    planned = {cell.id for cell in plan.cells}
    found: dict[str, State] = {}
    for manifest in run.load().manifests:
        if manifest.id in planned:
            found[manifest.id] = (manifest.status, manifest.reason)
    return {id_: found.get(id_, ("waiting", "")) for id_ in (cell.id for cell in plan.cells)}


def grouped(study: str, plan: Plan) -> dict[str, str]:
    """By cell id: the first table that shows it, else ``BEHIND``."""
    try:
        comparisons = compare_tables(load_published(paths.STUDIES / study), plan, [])
    except (PublishedError, OSError):
        return {}
    groups: dict[str, str] = {}
    for comparison in comparisons:
        place = comparison.place.partition(",")[0]
        for line in comparison.lines:
            for cell in line.cells:
                groups.setdefault(cell, f"{place} · {comparison.title}")
    return {planned.id: groups.get(planned.id, BEHIND) for planned in plan.cells}


def read_plan(wish: Wish, request: Request | None = None) -> Planned:
    """The plan of a wish; of the request that it came to where that is known. Raises KitError."""
    request = request or narrowed(wish)
    prepared = prepare(request)
    states = states_of(prepared.run, prepared.plan)
    return Planned(wish, request, prepared, states, grouped(prepared.study.id, prepared.plan))


def read_results(run: Run, study: str = "") -> Results:
    """Raises InputError when the run can't be used, or is of another study than the given one."""
    plan = plan_of(run)
    if study and plan.study != study:
        raise InputError(f"{run.id} is a run of {plan.study}, not of {study}")
    planned = {cell.id for cell in plan.cells}
    loaded = run.load()
    manifests = [m for m in loaded.manifests if m.id in planned]
    try:
        published = load_published(paths.STUDIES / plan.study)
    except PublishedError as error:
        raise InputError(str(error)) from error
    return Results(
        run=run,
        plan=plan,
        manifests={manifest.id: manifest for manifest in manifests},
        comparisons=compare_tables(published, plan, manifests, run.id),
        environments=describe_environments(manifests),
        warnings=loaded.warnings,
        speedups=_speedups(published, plan, manifests),
    )


def _speedups(
    published: list[PublishedTable], plan: Plan, manifests: list[Manifest]
) -> list[Speedup]:
    """What this run measured, then what the paper printed."""
    found = explain_measured(plan, Points(plan.cells, manifests)) + explain_published(published)
    return [_speedup(item) for item in found]


def _speedup(item: Explanation) -> Speedup:
    return Speedup(
        source=item.source,
        point=ladder_words.configuration(item.point),
        baseline=item.baseline,
        technique=item.technique,
        total=item.total,
        factors=[(factor.kind, factor.value) for factor in item.factors],
        shares=[factor.share for factor in item.factors],
        rungs=item.rungs,
        total_interval=ladder_words.interval(item.interval).strip(),
        intervals=tuple(ladder_words.interval(factor.interval).strip() for factor in item.factors),
        n=item.n,
        flags=tuple(item.flagged),
    )


def published_speedups(study: str) -> list[Speedup]:
    """The paper's own, for a study without a run. Raises PublishedError."""
    return [_speedup(i) for i in explain_published(load_published(paths.STUDIES / study))]


def read_differences(base: Run, new: Run) -> Differences:
    """Two runs cell by cell. Raises InputError."""
    from comparisons.differences import compare_runs, make_side

    sides = [make_side([(run.id, list(_planned_manifests(run)))]) for run in (base, new)]
    return compare_runs(sides[0], sides[1])


def _planned_manifests(run: Run) -> Iterator[Manifest]:
    planned = {cell.id for cell in plan_of(run).cells}
    return (manifest for manifest in run.load().manifests if manifest.id in planned)


def latest(study: str) -> Run | None:
    """The latest run of a study."""
    for run in all_runs():
        try:
            if run.plan().study == study:
                return run
        except (UnreadableError, OSError):
            continue
    return None


def log_files(run: Run, cell: str) -> list[Path]:
    """What a cell prints: what its framework says, and what goes past it."""
    folder = run.cell_folder(cell)
    return [folder / "log.txt", folder / "stderr.txt"]


def in_order(plan: Plan, ids: set[str]) -> list[PlannedCell]:
    """The planned cells of these ids, as the plan has them."""
    return [planned for planned in plan.cells if planned.id in ids]
