"""What screens show, read from disk; everything here runs on threads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from comparisons.audit import Report, audit
from comparisons.claims import count_verdicts
from comparisons.comparison import Comparison, compare_tables
from comparisons.decomposition import Explanation
from comparisons.matrix import Matrix, support_matrix
from comparisons.pareto import Network
from comparisons.render.verdict_rows import VerdictRow, verdict_rows
from comparisons.results import Evidence
from manifests.codec import UnreadableError
from manifests.errors import InputError, RepliquantError
from manifests.manifest import Manifest
from manifests.plan import Plan, PlannedCell
from manifests.run_folder import Run
from orchestrator.running.request import Prepared, Request, prepare
from papers.paper import find_paper
from papers.study import Study, load_study, study_folder
from services.results import (
    Results,
    compare_with_paper,
    environment_lines,
    explain_speedups,
    judge_claims,
    judge_published,
    pareto_networks,
    published_speedups,
    read_results,
)
from services.runs import all_runs
from services.selection import RunOptions, narrowed
from tui.text import error_text

if TYPE_CHECKING:
    from services.until_decided import Ending
    from services.verdict_screen import Shown

State = tuple[str, str]
"""A status and its reason."""

LARGE = 1000
"""Of so many manifests, tables and speedups take longer than somebody likes to wait for a list."""

BEHIND = "behind the tables"
"""The group of the cells that no table shows, but that others start from."""


class RunLine(NamedTuple):
    """A run of a study and what it came to; ``at`` is when its last cell began (UTC), or empty."""

    run: Run
    plan: Plan
    counts: dict[str, int]
    at: str = ""


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


class NamedClaim(NamedTuple):
    """One claim by its number, its words, and its verdict."""

    number: str
    says: str
    state: str


class StudyVerdicts(NamedTuple):
    """How many claims of a study have which verdict, on its latest run where it has one, and what
    they came to, those that came to the same together.
    """

    study: str
    states: Mapping[str, int]
    rows: Sequence[VerdictRow]
    claims: Sequence[NamedClaim] = ()


class Planned(NamedTuple):
    """A options, the request that it comes to, and its plan.

    ``states`` is what the plan's run has of each cell already, ``groups`` where each is shown.
    """

    options: RunOptions
    request: Request
    prepared: Prepared
    states: dict[str, State]
    groups: dict[str, str]
    go: bool = False
    start: bool = False


class ShownRun(NamedTuple):
    """One run beside its paper; as long as it isn't ``whole``, what follows from its manifests is
    still being worked out.
    """

    run: Run
    plan: Plan
    manifests: dict[str, Manifest]
    comparisons: list[Comparison]
    environments: list[str]
    warnings: list[str]
    speedups: list[Explanation]
    networks: list[Network]
    matrix: Matrix
    whole: bool = True


class Judgement(NamedTuple):
    """The claims of a study and the audit of its numbers; where one is None, why not."""

    study: str
    evidence: Evidence | None
    report: Report | None
    problems: dict[str, str]


def study_line(name: str, tier: str, runs: list[RunLine]) -> StudyLine:
    """What the first screen says of a study; ``runs`` are its own. Raises RepliquantError."""
    study = load_study(name)
    shown = tier if tier in study.tiers else next(iter(study.tiers))
    try:
        plan = prepare(Request(name, shown)).plan
        problem = ""
    except RepliquantError as error:
        plan, problem = None, str(error)
    cells = plan.cells if plan else []
    paper = find_paper(name)
    return StudyLine(
        study=study,
        claims=len(paper.claims.claim),
        tables=len(paper.tables),
        cells=len(cells),
        runnable=sum(not planned.skip for planned in cells),
        tier=shown,
        why_not=dict(Counter(planned.skip for planned in cells if planned.skip)),
        runs=runs,
        problem=problem,
    )


def run_lines() -> list[RunLine]:
    """All runs whose plan can be used, the latest first."""
    return [line for line in map(run_line, all_runs()) if line is not None]


def study_verdicts(study: str, runs: list[RunLine]) -> StudyVerdicts:
    """On the latest of these runs, or without a run; none where they can't be judged."""
    try:
        found = judge_claims(read_results(runs[0].run)) if runs else judge_published(study)
    except Exception:  # screen 6 says why
        return StudyVerdicts(study, {}, ())
    rows = verdict_rows(found.claims, len(found.claims), published=found.plan is None)
    claims = [NamedClaim(one.number, one.claim.text, one.measured.state) for one in found.claims]
    return StudyVerdicts(study, count_verdicts(found.claims), rows, claims)


def run_line(run: Run) -> RunLine | None:
    """None for a run whose plan can't be used."""
    try:
        plan = run.plan()
    except (UnreadableError, OSError):
        return None
    manifests = run.load().manifests
    counts = Counter(state for state, _ in _states(manifests, plan).values())
    at = max((manifest.started_at for manifest in manifests), default="")
    return RunLine(run, plan, dict(counts), at[:16].replace("T", " "))


def states_of(run: Run, plan: Plan) -> dict[str, State]:
    """The status of every cell of a plan; "waiting" for one without a manifest."""
    return _states(run.load().manifests, plan)


def _states(manifests: Iterable[Manifest], plan: Plan) -> dict[str, State]:
    planned = {cell.id for cell in plan.cells}
    found: dict[str, State] = {}
    for manifest in manifests:
        if manifest.id in planned:
            found[manifest.id] = (manifest.status, manifest.reason)
    return {id_: found.get(id_, ("waiting", "")) for id_ in (cell.id for cell in plan.cells)}


def grouped(study: str, plan: Plan) -> dict[str, str]:
    """By cell id: the first table that shows it, else ``BEHIND``."""
    try:
        comparisons = compare_tables(find_paper(study).tables, plan, [])
    except (InputError, OSError):
        return {}
    groups: dict[str, str] = {}
    for comparison in comparisons:
        place = comparison.place.partition(",")[0]
        for line in comparison.lines:
            for cell in line.cells:
                groups.setdefault(cell, f"{place} · {comparison.title}")
    return {planned.id: groups.get(planned.id, BEHIND) for planned in plan.cells}


def read_plan(options: RunOptions, request: Request | None = None) -> Planned:
    """Of the request that the options came to, where that is known. Raises RepliquantError."""
    request = request or narrowed(options)
    prepared = prepare(request)
    states = states_of(prepared.run, prepared.plan)
    return Planned(options, request, prepared, states, grouped(prepared.study.id, prepared.plan))


def read_shown_run(run: Run, study: str) -> ShownRun:
    """Raises InputError when the run can't be used, or is of another study than the given one."""
    *_, shown = shown_by_and_by(run, study)
    return shown


def shown_by_and_by(run: Run, study: str) -> Iterator[ShownRun]:
    """A large run first by its cells alone, then whole. Raises InputError."""
    results = read_results(run, study)
    cells = ShownRun(
        run=run,
        plan=results.plan,
        manifests={manifest.id: manifest for manifest in results.manifests},
        comparisons=[],
        environments=[],
        warnings=results.warnings,
        speedups=[],
        networks=[],
        matrix=support_matrix(results.plan.cells, results.manifests),
        whole=False,
    )
    if len(results.manifests) > LARGE:
        yield cells
    yield cells._replace(
        comparisons=compare_with_paper(results),
        environments=environment_lines([results]),
        speedups=explain_speedups(results) + published_speedups(study),
        networks=pareto_networks(results),
        whole=True,
    )


def judge_study(study: str, shown: ShownRun | None) -> Judgement:
    """On the run that is shown; on the paper's numbers alone where there is none."""
    evidence: Evidence | None = None
    report: Report | None = None
    problems: dict[str, str] = {}
    try:
        evidence = judge_claims(_results_of(shown)) if shown else judge_published(study)
    except Exception as error:  # shown in the place of the claims
        problems["claims"] = error_text(error)
    try:
        report = audit(study_folder(study))
    except Exception as error:  # shown in the place of the findings
        problems["audit"] = error_text(error)
    return Judgement(study, evidence, report, problems)


def read_verdicts(run: Run, ending: Ending | None) -> Shown:
    """Every claim on what a run has so far. Raises InputError, PublishedError."""
    from services.verdict_screen import Shown

    results = read_results(run)
    return Shown(judge_claims(results), results, ending)


def _results_of(shown: ShownRun) -> Results:
    return Results(shown.run, shown.plan, list(shown.manifests.values()), shown.warnings)


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
